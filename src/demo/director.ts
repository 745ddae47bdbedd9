import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import type { LoadCount } from './load.ts';
import { shortAddresses } from './names.ts';
import { createRates } from './rates.ts';
import { digCommand, fullWeight, serviceName } from './settings.ts';
import { look, type Sight } from './sight.ts';
import type { Terminal } from './terminal.ts';
import { changes, rowsOf, type StepState, type View } from './view.ts';
import type { World } from './world.ts';

/** Looks at everything, keeps the picture, and tells what changes. */
export interface Director {
  /** Looks now; a lost process makes it throw. */
  look(): Promise<Sight>;
  /** What was seen last of every part; of one that is away, what it said before. */
  last(): Sight;
  begin(step: number): void;
  passed(step: number): void;
  /** Marks what runs as failed and gives its title. */
  fail(): string;
  headline(title: string, text: string): void;
  say(text: string): void;
  /** Looks and draws until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface DirectorOptions {
  readonly world: World;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly count: () => LoadCount;
  readonly hints: View['hints'];
  readonly steps: number;
}

const drawEveryMs = 150;
const eventsKept = 10;

export function createDirector(options: DirectorOptions): Director {
  const { world, terminal, clock, signal, count, hints } = options;
  const startedAt = clock.monotonic();
  const rates = createRates();
  const steps: StepState[] = Array.from({ length: options.steps }, () => 'ahead');
  const events: string[] = [];
  let [title, text] = [
    'Starting HAProxy, hsdo server and hsdo client',
    'All of them real, all of them on this machine.',
  ];
  /** What is away for a moment is shown as it was seen last. */
  let shown: Sight = {};
  let newest: Sight = {};
  let namesTold = namesInWords({});
  const wasUp = new Set<string>();
  let rows = rowsOf(shown, wasUp);

  const elapsedSeconds = () => (clock.monotonic() - startedAt) / 1000;
  const tell = (line: string) => terminal.tell(`${elapsedSeconds().toFixed(1).padStart(6)} s  ${line}`);
  const event = (what: string) => {
    events.push(what);
    events.splice(0, events.length - eventsKept);
    tell(`  ${what}`);
  };
  const headline = (nextTitle: string, nextText: string) => {
    [title, text] = [nextTitle, nextText];
    tell(`${title}: ${text}`);
  };
  const sampleRates = () => {
    const counters = new Map(world.targets.all.map((target) => [target.name, target.requests()]));
    rates.sample(clock.monotonic(), counters.set('served', count().served));
  };
  const take = (sight: Sight) => {
    const told: Sight = {
      ...(shown.haproxy ? { haproxy: shown.haproxy } : {}),
      ...(newest.api ? { api: newest.api } : {}),
    };
    newest = sight;
    shown = { ...shown, ...sight };
    const next = rowsOf(shown, wasUp);
    for (const change of changes(rows, next)) event(change);
    for (const change of partChanges(told, sight)) event(change);
    const words = namesInWords(sight);
    // The screen has a line of its own for it.
    if (words !== namesTold) tell(`  ${words}`);
    namesTold = words;
    rows = next;
    for (const { target, state } of rows) if (state === 'up') wasUp.add(target);
    for (const target of wasUp) if (!rows.some((row) => row.target === target)) wasUp.delete(target);
  };
  const view = (): View => ({
    elapsedSeconds: elapsedSeconds(),
    parts: partsOf(newest),
    steps,
    title,
    text,
    rows: rows.map((row) => ({ ...row, requestsPerSecond: rates.of(row.target) })),
    maxWeight: fullWeight,
    served: count().served,
    failed: count().failed,
    requestsPerSecond: rates.of('served'),
    names: { command: digCommand(world.places), addresses: newest.names?.addresses },
    events,
    hints,
  });
  // One look after the other, so that an older one never comes after a newer one.
  let looking: Promise<unknown> = Promise.resolve();
  const observe = (): Promise<Sight> => {
    const sight = looking.then(async () => {
      const seen = await look(world.places, signal);
      take(seen);
      return seen;
    });
    looking = sight.catch(() => {});
    return sight;
  };
  return {
    async look() {
      const loss = world.loss();
      if (loss !== undefined) throw new HsdoError('unavailable', loss);
      return observe();
    },
    last: () => shown,
    begin(step) {
      steps[step] = 'running';
    },
    passed(step) {
      steps[step] = 'passed';
      tell('  verified');
    },
    fail() {
      const running = steps.indexOf('running');
      if (running >= 0) steps[running] = 'failed';
      return title;
    },
    headline,
    say(nextText) {
      text = nextText;
      tell(nextText);
    },
    async run(running) {
      for (const [label, what] of hints) tell(`  ${label}: ${what}`);
      try {
        while (!running.aborted) {
          await observe();
          sampleRates();
          terminal.show(view());
          await pause(clock, drawEveryMs, undefined, running);
        }
      } catch (error) {
        if (!running.aborted) throw error;
      }
      terminal.show(view());
    },
  };
}

function partsOf({ haproxy, api }: Sight): View['parts'] {
  const server = api ? (api.isLeader ? `leads, epoch ${api.epoch}` : 'follows') : 'away';
  const process = haproxy ? `${haproxy.version.split('-')[0]}, pid ${haproxy.workerPid}` : 'away';
  return [
    { name: 'server', state: server, isFine: api?.isLeader === true },
    { name: 'HAProxy', state: process, isFine: haproxy !== undefined },
  ];
}

function namesInWords({ names }: Sight): string {
  if (!names) return `DNS: no answer for ${serviceName}`;
  return `DNS: ${serviceName} is ${shortAddresses(names.addresses) || 'nobody'}`;
}

function partChanges(before: Sight, after: Sight): readonly string[] {
  const [was, is] = [before.haproxy?.workerPid, after.haproxy?.workerPid];
  const held = [before, after].map(({ api }) => api?.held.length ?? 0);
  const leads = [before, after].map(({ api }) => api?.isLeader === true);
  return [
    ...(was !== undefined && is !== undefined && was !== is ? [`HAProxy: worker ${is} takes over from ${was}`] : []),
    ...(before.api && !after.api ? ['the hsdo server is away'] : []),
    ...(leads[1] && !leads[0] ? [`the hsdo server leads, epoch ${after.api?.epoch}`] : []),
    ...(held[0] === 0 && held[1] !== 0 ? [`the guard holds ${held[1]} targets`] : []),
    ...(held[0] !== 0 && held[1] === 0 && after.api ? ['the guard lets go'] : []),
  ];
}
