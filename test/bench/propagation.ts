import { setTimeout as delay } from 'node:timers/promises';
import { hsdoKeys, makeTable } from '../fixtures/dynamodb.ts';
import { startMoto } from '../fixtures/moto.ts';
import { type Crowd, consulCrowd, fileCrowd, type Member, member } from './crowd.ts';
import { figure, histogram, percentile, promise, type Section } from './figures.ts';
import { type HsdoOptions, startHsdo } from './hsdo-processes.ts';
import { type SlotWatch, startSlotWatch } from './slot-watch.ts';
import { slotCount, startThousand } from './thousand.ts';

/** Targets that come and go; together with those that stay they take half of the slots. */
const moverCount = 20;
const changeCount = 100;
/** Changes before those: a process that has just started runs code that was never run before. They are told apart. */
const coldCount = 20;
const pollMs = 1000;

/** One target that comes and goes, always in the same slot, since it gets its own back. */
interface Mover {
  readonly member: Member;
  readonly slot: number;
  isPresent: boolean;
}

/** How long one change takes from the moment before the source is told until HAProxy shows it, in milliseconds. */
async function change(crowd: Crowd, watch: SlotWatch, mover: Mover): Promise<number> {
  const { member: target, slot, isPresent } = mover;
  mover.isPresent = !isPresent;
  const startedAt = performance.now();
  const [seenAt] = await Promise.all([
    watch.seen(slot, isPresent ? undefined : target.address),
    isPresent ? crowd.vanish(target) : crowd.appear(target),
  ]);
  return seenAt - startedAt;
}

/** Many changes of single targets, at random moments, so that they fall into every phase of every loop. */
async function changes(crowd: Crowd, watch: SlotWatch, idle: Mover[], times: number): Promise<number[]> {
  const running: Promise<number>[] = [];
  for (let count = 0; count < times; count += 1) {
    await delay(130 + Math.random() * 100);
    const mover = idle.splice(Math.floor(Math.random() * idle.length), 1)[0];
    if (!mover) throw new Error(`all ${moverCount} targets wait for their change to reach HAProxy`);
    running.push(change(crowd, watch, mover).finally(() => idle.push(mover)));
  }
  return Promise.all(running);
}

interface Scene {
  readonly name: string;
  readonly title: string;
  readonly size: number;
  readonly crowd: (members: readonly Member[]) => Promise<Crowd>;
  readonly options?: Partial<HsdoOptions>;
  /** What is promised of the 99th percentile. */
  readonly mostMs: number;
  readonly notes?: readonly string[];
}

async function measure({ size, crowd: gather, options = {} }: Scene): Promise<{ cold: number[]; warm: number[] }> {
  const members = Array.from({ length: size / 2 }, (_, number) => member(number));
  const haproxy = await startThousand({ hasChecks: true, size });
  const crowd = await gather(members);
  const hsdo = await startHsdo({ source: crowd.source, socketPath: haproxy.socketPath, size, ...options });
  const watch = await startSlotWatch(haproxy.socketPath);
  try {
    await watch.taken(members.length);
    const idle: Mover[] = [];
    for (const one of members.slice(0, moverCount)) {
      idle.push({ member: one, slot: await watch.slotOf(one.address), isPresent: true });
    }
    const cold = await changes(crowd, watch, idle, coldCount);
    return { cold, warm: await changes(crowd, watch, idle, changeCount) };
  } finally {
    watch.stop();
    await hsdo.stop();
    await crowd.stop();
    await haproxy.stop();
  }
}

async function play(scene: Scene): Promise<Section> {
  const { name, title, size, mostMs, notes = [] } = scene;
  const { cold, warm: values } = await measure(scene);
  return {
    name,
    title,
    figures: [
      figure('p50', 'ms', [percentile(values, 0.5)]),
      promise(figure('p99', 'ms', [percentile(values, 0.99)]), `under ${mostMs}`, (p99) => p99 < mostMs),
      figure('all changes', 'ms', values),
      figure(`the first ${coldCount} after the start, not counted above`, 'ms', cold),
    ],
    ratios: [],
    histograms: [histogram('changes', 'ms', values, 15)],
    notes: [
      `${changeCount} times one target of ${size / 2} comes or goes in ${size} slots; hsdo's server and client are processes of their own.`,
      'From the moment before the source is told until HAProxy, asked every millisecond, answers with the change.',
      ...notes,
    ],
  };
}

const smallSize = 100;

/** Consul and the embedded store. */
export function consulToHaproxy(): Promise<Section> {
  const title = 'From a change in Consul to the change in HAProxy, embedded store';
  return play({ name: 'consul', title, size: slotCount, crowd: consulCrowd, mostMs: 100 });
}

/** The same with a list as most services have it, to tell what the size of the list costs. */
export function consulToHaproxySmall(): Promise<Section> {
  const title = 'The same with a list of 100';
  return play({ name: 'consul-small', title, size: smallSize, crowd: consulCrowd, mostMs: 100 });
}

/** A file and the embedded store. */
export function fileToHaproxy(): Promise<Section> {
  const title = 'From a change of a file to the change in HAProxy, embedded store';
  return play({ name: 'file', title, size: slotCount, crowd: fileCrowd, mostMs: 100 });
}

/** A file and HSDO's table in DynamoDB. */
export async function dynamodbToHaproxy(): Promise<Section> {
  const moto = await startMoto();
  try {
    const { endpoint, region, credentials } = moto;
    const store = { kind: 'dynamodb', hsdoTable: await makeTable(moto, hsdoKeys), endpoint, region, credentials };
    return await play({
      name: 'dynamodb',
      title: `From a change of a file to the change in HAProxy, HSDO's table, INTERVAL ${pollMs / 1000} s`,
      size: smallSize,
      crowd: fileCrowd,
      options: { store, intervalSeconds: pollMs / 1000 },
      mostMs: pollMs + 100,
      notes: ['DynamoDB is moto, which needs a third of a second for a list of 1000; hence a list of 100.'],
    });
  } finally {
    await moto.stop();
  }
}
