import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import type { Director } from './director.ts';
import type { Expectation } from './expect.ts';
import type { LoadCount } from './load.ts';
import type { Sight } from './sight.ts';
import type { DemoTarget, Targets } from './targets.ts';
import type { World } from './world.ts';

/** What a step may do: change the world, and wait until both HAProxy and hsdo show it. */
export interface Stage {
  readonly world: World;
  readonly targets: Targets;
  target(n: number): DemoTarget;
  startLoad(): void;
  /** Requests answered so far. */
  served(): number;
  /** Looks now and gives what is seen. */
  look(): Promise<Sight>;
  /** The newest sight that had an API and a HAProxy. */
  last(): Sight;
  /** Shows what happens now, a sentence or two. */
  say(text: string): void;
  /** Time for a person to look. */
  beat(): Promise<void>;
  /** Looks again and again until `expectation` has no complaint. */
  until(expectation: Expectation, within?: { readonly seconds: number }): Promise<Sight>;
  /** Looks for `seconds` and at least once; a complaint ends the demo. */
  holds(expectation: Expectation, seconds: number): Promise<Sight>;
}

/** What was expected and did not come, in one sentence or a few lines; no bug of the demo. */
export function disappointed(complaint: string): HsdoError {
  return new HsdoError('unavailable', complaint);
}

export interface StageOptions {
  readonly world: World;
  readonly traffic: { start(): void; count(): LoadCount };
  readonly director: Pick<Director, 'look' | 'last' | 'say'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly beatSeconds: number;
}

const lookEveryMs = 50;
const patienceSeconds = 15;

export function createStage({ world, traffic, director, clock, signal, beatSeconds }: StageOptions): Stage {
  const { targets } = world;
  const { look, last, say } = director;
  const sleep = (seconds: number) => clock.sleep(seconds * 1000, signal);
  return {
    world,
    targets,
    target: (n) => targets.named(`web-${n}`),
    startLoad: () => traffic.start(),
    served: () => traffic.count().served,
    look,
    last,
    say,
    beat: () => sleep(beatSeconds),
    async until(expectation, { seconds } = { seconds: patienceSeconds }) {
      const deadline = clock.monotonic() + seconds * 1000;
      for (;;) {
        const sight = await look();
        const complaint = expectation(sight);
        if (complaint === undefined) return sight;
        if (clock.monotonic() > deadline) throw disappointed(`After ${seconds} s still: ${complaint}`);
        await sleep(lookEveryMs / 1000);
      }
    },
    async holds(expectation, seconds) {
      const end = clock.monotonic() + seconds * 1000;
      for (;;) {
        const sight = await look();
        const complaint = expectation(sight);
        if (complaint !== undefined) throw disappointed(complaint);
        if (clock.monotonic() >= end) return sight;
        await sleep(lookEveryMs / 1000);
      }
    },
  };
}
