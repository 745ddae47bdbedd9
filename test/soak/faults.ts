import { setTimeout as delay } from 'node:timers/promises';
import type { ChangingSource } from '../fixtures/changing-source.ts';
import type { Cluster } from '../fixtures/cluster.ts';
import type { Stage } from '../fixtures/stages.ts';
import type { TestTarget } from '../fixtures/targets.ts';

/** Everything that a fault may touch. */
export interface World {
  readonly cluster: Cluster;
  readonly stage: Stage & { readonly source: ChangingSource & { write?(text: string): Promise<void> } };
  readonly targets: readonly TestTarget[];
  /** What the source reports when nothing is wrong with it. */
  present: readonly TestTarget[];
  /** Takes the load off one HAProxy, having made sure that nothing failed so far, and gives what puts it back. */
  withoutLoad(position: number): Promise<() => void>;
}

/** Gives 0 to below 1. Every fault has dice of its own, so that two at a time do not change each other's throws. */
export type Dice = () => number;

/** One thing that goes wrong; it is over when the promise is. `part` keeps two faults of one part from meeting. */
export interface Fault {
  readonly name: string;
  readonly part: string;
  run(world: World, dice: Dice): Promise<void>;
}

const between = (dice: Dice, minMs: number, maxMs: number) => delay(minMs + dice() * (maxMs - minMs));

const garbage: readonly string[] = [
  '',
  '{',
  'null',
  '"text"',
  '[1, null, {}]',
  '- {name: "a;b", address: 10.0.0.1}\n- [',
  '[]',
];

/** A third of the targets may be missing at most: more would be the guard's business. */
function change(world: World, dice: Dice): readonly TestTarget[] {
  const most = Math.floor(world.targets.length / 3);
  const gone = new Set(
    Array.from({ length: Math.floor(dice() * (most + 1)) }, () => Math.floor(dice() * world.targets.length)),
  );
  return world.targets.filter((_, n) => !gone.has(n));
}

const ofServer = (n: 0 | 1): readonly Fault[] => [
  {
    name: `server ${n + 1} is killed`,
    part: `server-${n}`,
    async run(world, dice) {
      await world.cluster.servers[n].kill();
      await between(dice, 0, 4000);
      await world.cluster.servers[n].start();
    },
  },
  {
    name: `server ${n + 1} is paused`,
    part: `server-${n}`,
    async run(world, dice) {
      world.cluster.servers[n].pause();
      await between(dice, 100, 5000);
      world.cluster.servers[n].resume();
    },
  },
];

const ofBox = (n: 0 | 1): readonly Fault[] => [
  {
    name: `client ${n + 1} is killed`,
    part: `box-${n}`,
    async run(world, dice) {
      await world.cluster.clients[n].kill();
      await between(dice, 0, 2000);
      await world.cluster.clients[n].start();
    },
  },
  {
    name: `client ${n + 1} is paused`,
    part: `box-${n}`,
    async run(world, dice) {
      world.cluster.clients[n].pause();
      await between(dice, 100, 3000);
      world.cluster.clients[n].resume();
    },
  },
  { name: `HAProxy ${n + 1} reloads`, part: `box-${n}`, run: ({ cluster }) => cluster.haproxies[n].reload() },
  {
    name: `HAProxy ${n + 1} is restarted`,
    part: `box-${n}`,
    async run(world) {
      const putBack = await world.withoutLoad(n);
      await world.cluster.haproxies[n].restart();
      putBack();
    },
  },
  {
    name: `HAProxy ${n + 1} is killed`,
    part: `box-${n}`,
    async run(world, dice) {
      const putBack = await world.withoutLoad(n);
      await world.cluster.haproxies[n].kill();
      await between(dice, 0, 1000);
      await world.cluster.haproxies[n].start();
      putBack();
    },
  },
  {
    name: `somebody changes weights in HAProxy ${n + 1}`,
    part: `box-${n}`,
    run: async ({ cluster }) =>
      void (await cluster.haproxies[n].ask('set server web/web1 weight 7; set server web/web2 weight 9')),
  },
];

export const faults: readonly Fault[] = [
  ...ofServer(0),
  ...ofServer(1),
  ...ofBox(0),
  ...ofBox(1),
  {
    name: 'the targets change',
    part: 'source',
    async run(world, dice) {
      world.present = change(world, dice);
      await world.stage.source.set(world.present);
    },
  },
  {
    name: 'the source is away',
    part: 'source',
    async run(world, dice) {
      await world.stage.source.takeAway();
      await between(dice, 100, 4000);
      await world.stage.source.bringBack();
    },
  },
  {
    name: 'the source writes garbage',
    part: 'source',
    async run(world, dice) {
      const text = garbage[Math.floor(dice() * garbage.length)] ?? '';
      await world.stage.source.write?.(text);
      await between(dice, 100, 2000);
      await world.stage.source.set(world.present);
    },
  },
  {
    name: 'the source says that there is nothing',
    part: 'source',
    async run(world, dice) {
      await world.stage.source.set([]);
      await between(dice, 100, 2000);
      await world.stage.source.set(world.present);
    },
  },
  {
    name: 'the store is away',
    part: 'store',
    async run(world, dice) {
      await world.stage.takeStoreAway(world.cluster);
      await between(dice, 100, 4000);
      await world.stage.bringStoreBack(world.cluster);
    },
  },
];
