import { setTimeout as delay } from 'node:timers/promises';
import { hsdoKeys, makeTable } from '../fixtures/dynamodb.ts';
import type { Haproxy } from '../fixtures/haproxy.ts';
import { startMoto } from '../fixtures/moto.ts';
import { type Crowd, consulCrowd, fileCrowd, type Member, member } from './crowd.ts';
import { figure, histogram, percentile, promise, type Section } from './figures.ts';
import { type HsdoOptions, startHsdo } from './hsdo-processes.ts';
import { type SlotWatch, startSlotWatch } from './slot-watch.ts';
import { startThousand } from './thousand.ts';

/** Targets that stay, and those that come and go. */
const stayCount = 480;
const moverCount = 20;
const changeCount = 120;
const pollMs = 1000;

const members = Array.from({ length: stayCount + moverCount }, (_, number) => member(number));

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
async function changes(crowd: Crowd, watch: SlotWatch): Promise<number[]> {
  const idle: Mover[] = [];
  for (const one of members.slice(stayCount)) {
    idle.push({ member: one, slot: await watch.slotOf(one.address), isPresent: true });
  }
  const running: Promise<number>[] = [];
  for (let count = 0; count < changeCount; count += 1) {
    await delay(150 + Math.random() * 150);
    const mover = idle.splice(Math.floor(Math.random() * idle.length), 1)[0];
    if (!mover) throw new Error(`all ${moverCount} targets wait for their change to reach HAProxy`);
    running.push(change(crowd, watch, mover).finally(() => idle.push(mover)));
  }
  return Promise.all(running);
}

async function measure(haproxy: Haproxy, crowd: Crowd, options: Partial<HsdoOptions>): Promise<number[]> {
  const hsdo = await startHsdo({ source: crowd.source, socketPath: haproxy.socketPath, ...options });
  const watch = await startSlotWatch(haproxy.socketPath);
  try {
    await watch.taken(members.length);
    return await changes(crowd, watch);
  } finally {
    watch.stop();
    await hsdo.stop();
    await crowd.stop();
  }
}

function tell(
  name: string,
  title: string,
  values: readonly number[],
  mostMs: number,
  notes: readonly string[],
): Section {
  return {
    name,
    title,
    figures: [
      figure('p50', 'ms', [percentile(values, 0.5)]),
      promise(figure('p99', 'ms', [percentile(values, 0.99)]), `under ${mostMs}`, (p99) => p99 < mostMs),
      figure('all changes', 'ms', values),
    ],
    ratios: [],
    histograms: [histogram('changes', 'ms', values, 15)],
    notes: [
      `${changeCount} single targets of ${members.length} come or go in 1000 slots; hsdo's server and client are processes of their own.`,
      ...notes,
    ],
  };
}

async function onThousand(run: (haproxy: Haproxy) => Promise<Section>): Promise<Section> {
  const haproxy = await startThousand({ hasChecks: true });
  try {
    return await run(haproxy);
  } finally {
    await haproxy.stop();
  }
}

const fromCall =
  'From the moment before the source is told until HAProxy, asked every millisecond, answers with the change.';

/** Consul and the embedded store. */
export function consulToHaproxy(): Promise<Section> {
  return onThousand(async (haproxy) => {
    const values = await measure(haproxy, await consulCrowd(members), {});
    return tell('consul', 'From a change in Consul to the change in HAProxy, embedded store', values, 100, [fromCall]);
  });
}

/** A file and the embedded store. */
export function fileToHaproxy(): Promise<Section> {
  return onThousand(async (haproxy) => {
    const values = await measure(haproxy, await fileCrowd(members), {});
    return tell('file', 'From a change of the file to the change in HAProxy, embedded store', values, 100, [fromCall]);
  });
}

/** A file and HSDO's table in DynamoDB. */
export function dynamodbToHaproxy(): Promise<Section> {
  return onThousand(async (haproxy) => {
    const moto = await startMoto();
    try {
      const { endpoint, region, credentials } = moto;
      const store = { kind: 'dynamodb', hsdoTable: await makeTable(moto, hsdoKeys), endpoint, region, credentials };
      const values = await measure(haproxy, await fileCrowd(members), { store, intervalSeconds: pollMs / 1000 });
      const title = `From a change of the file to the change in HAProxy, HSDO's table in DynamoDB, INTERVAL ${pollMs / 1000} s`;
      return tell('dynamodb', title, values, pollMs + 100, [
        fromCall,
        'DynamoDB is moto here, which has its own speed.',
      ]);
    } finally {
      await moto.stop();
    }
  });
}
