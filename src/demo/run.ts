import { describeError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { createDirector, type Director } from './director.ts';
import { isLed } from './expect.ts';
import { type Load, type LoadCount, startLoad } from './load.ts';
import { changeSomething } from './ongoing.ts';
import { digCommand } from './settings.ts';
import { createStage, disappointed, type Stage } from './stage.ts';
import { type Step, story } from './story.ts';
import { openTerminal } from './terminal.ts';
import { openWorld, type World } from './world.ts';

export interface DemoOptions {
  /** Ends after the story instead of going on with small changes. */
  readonly isOnce: boolean;
  /** Least time for each step. */
  readonly secondsPerStep: number;
  /** Arguments with which `process.execPath` runs hsdo, such as `dist/main.js`. */
  readonly entry: readonly string[];
  /** The same for a person to type. */
  readonly hsdo: string;
  readonly output: NodeJS.WriteStream;
  readonly clock: Clock;
  /** Aborted when a person wants it to end. */
  readonly signal: AbortSignal;
}

const nothing: LoadCount = { served: 0, failed: 0, failures: [] };
const changeEverySeconds = 4;

export type Outcome = 'told' | 'failed' | 'stopped';

/**
 * Runs the demo and cleans up, however it ends. `told`: every step came out as told and no request failed; `failed`: it
 * did not, and the reason is printed; `stopped`: a person ended it.
 *
 * @throws HsdoError `unavailable` when it cannot begin, such as without haproxy.
 */
export async function runDemo(options: DemoOptions): Promise<Outcome> {
  const { entry, output, clock } = options;
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const world = await openWorld({ entry, clock, signal }).catch((error: unknown) => {
    if (options.signal.aborted) return undefined;
    throw error;
  });
  if (!world) return 'stopped';
  const terminal = openTerminal(output, process.env);
  const traffic = createTraffic(world, clock);
  const hints = hintsOf(options.hsdo, world);
  const director = createDirector({ world, terminal, clock, signal, count: traffic.count, hints, steps: story.length });
  const drawing = director.run(signal);
  let told: Told = { outcome: 'stopped', lines: [] };
  try {
    const telling = perform(options, { world, director, traffic, signal });
    // The drawing ends first when a person stops the demo; the story still has its sum to tell.
    told = await Promise.race([telling, drawing.then(() => telling)]);
  } finally {
    ending.abort(new Error('the demo ends'));
    await drawing.catch(() => {});
    terminal.close();
    await traffic.stop();
    await world.close();
  }
  output.write(`${told.lines.join('\n')}\n`);
  return told.outcome;
}

interface Told {
  readonly outcome: Outcome;
  readonly lines: readonly string[];
}

/** Load that is started by the first step, when somebody is there who can answer. */
function createTraffic({ places, targets }: World, clock: Clock) {
  let load: Load | undefined;
  return {
    start() {
      load ??= startLoad({ url: places.url, mayServe: (name) => targets.mayServe(name), clock });
    },
    count: () => load?.count() ?? nothing,
    stop: async () => load?.stop(),
  };
}

function hintsOf(hsdo: string, { places }: World): readonly (readonly [string, string])[] {
  return [
    ['dashboard', `${places.apiUrl}/`],
    ['look yourself', `${hsdo} status --api ${places.apiUrl}`],
    ['HAProxy', `${places.pageUrl}   requests: curl ${places.url}`],
    ['DNS', `${digCommand(places)} SRV   # or A, or TXT`],
    ['end', 'Ctrl-C; nothing is left behind'],
  ];
}

interface Parts {
  readonly world: World;
  readonly director: Director;
  readonly traffic: ReturnType<typeof createTraffic>;
  readonly signal: AbortSignal;
}

async function perform(options: DemoOptions, { world, director, traffic, signal }: Parts): Promise<Told> {
  const { isOnce, secondsPerStep, clock } = options;
  const startedAt = clock.monotonic();
  const stage = createStage({ world, traffic, director, clock, signal, beatSeconds: secondsPerStep / 3 });
  let passed = 0;
  let changed = 0;
  const sum = () => summary({ passed, changed, count: traffic.count(), ms: clock.monotonic() - startedAt });
  try {
    await stage.until(isLed());
    for (const [n, step] of story.entries()) {
      await playStep(step, n, { stage, director, clock, secondsPerStep, signal });
      checkTraffic(traffic.count());
      passed += 1;
    }
    if (isOnce) return { outcome: 'told', lines: sum() };
    director.headline(
      'Small changes at random',
      'Targets come and go, HAProxy is reloaded now and then. Ctrl-C ends it.',
    );
    for (;;) {
      await clock.sleep(changeEverySeconds * 1000, signal);
      await changeSomething(stage);
      checkTraffic(traffic.count());
      changed += 1;
    }
  } catch (error) {
    if (options.signal.aborted) return { outcome: 'stopped', lines: sum() };
    const failing = director.fail();
    const reason = `FAILED ${failing}: ${describeError(error)}`;
    return { outcome: 'failed', lines: [world.logs(), '', reason, ...sum()] };
  }
}

async function playStep(
  step: Step,
  n: number,
  {
    stage,
    director,
    clock,
    secondsPerStep,
    signal,
  }: Pick<Parts, 'director' | 'signal'> & Pick<DemoOptions, 'clock' | 'secondsPerStep'> & { readonly stage: Stage },
): Promise<void> {
  const startedAt = clock.monotonic();
  director.begin(n);
  director.headline(`${n + 1}/${story.length} ${step.title}`, step.text);
  await step.play(stage);
  const spentMs = clock.monotonic() - startedAt;
  await clock.sleep(Math.max(0, secondsPerStep * 1000 - spentMs), signal);
  director.passed(n);
}

function checkTraffic({ failed, failures }: LoadCount): void {
  if (failed > 0) throw disappointed(`${failed} requests failed, expected 0: ${failures.join('; ')}`);
}

function summary(sum: {
  readonly passed: number;
  readonly changed: number;
  readonly count: LoadCount;
  readonly ms: number;
}): readonly string[] {
  const { passed, changed, count, ms } = sum;
  const seconds = Math.round(ms / 1000);
  const changes = changed > 0 ? `, and ${changed} random changes` : '';
  return [
    `${passed} of ${story.length} steps came out as told${changes}, in ${seconds} s.`,
    `${count.served} requests served, ${count.failed} failed.`,
  ];
}
