import { setTimeout as delay } from 'node:timers/promises';
import { makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { startMoto } from '../fixtures/moto.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';
import { figure, histogram, percentile, promise, type Section } from './figures.ts';
import { type HsdoOptions, startHsdo } from './hsdo-processes.ts';
import { type AdminWatch, startAdminWatch } from './outage-watch.ts';
import { startThousand } from './thousand.ts';

const killCount = 40;
/** Targets that are killed, and those that stay, so that there is never a panic. */
const [mortalCount, restCount] = [6, 2];
const size = 20;
const check = { kind: 'http', intervalSeconds: 0.5, fall: 2, timeoutSeconds: 0.3, holdDown: { seconds: 0 } };
const slackMs = 200;
const promisedMs = check.intervalSeconds * 1000 * check.fall + check.timeoutSeconds * 1000 + slackMs;
const port = 18_080;
const pollSeconds = 1;

/** One target: a process of its own that answers every request. */
interface Mortal {
  readonly address: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

const serverText = (address: string) =>
  `require('node:http').createServer((_, answer) => answer.end()).listen(${port}, '${address}', () => console.log('up'))`;

function mortal(number: number): Mortal {
  const address = `127.21.0.${1 + number}`;
  let program: Program | undefined;
  return {
    address,
    async start() {
      program = startProgram(process.execPath, ['-e', serverText(address)]);
      await until(`a target at ${address}`, () => program?.stdout().includes('up'));
    },
    async kill() {
      program?.signal('SIGKILL');
      await program?.exited;
    },
  };
}

/** Kills one and brings it back; gives the time from before the signal until HAProxy showed it drained, in milliseconds. */
async function outageOf(target: Mortal, slot: number, watch: AdminWatch): Promise<number> {
  const startedAt = performance.now();
  const [seenAt] = await Promise.all([watch.seen(slot, 'drain'), target.kill()]);
  await target.start();
  await watch.seen(slot, 'ready');
  return seenAt - startedAt;
}

/** Many kills at random moments, so that they fall into every phase of the checks. */
async function kills(mortals: readonly Mortal[], watch: AdminWatch): Promise<number[]> {
  const idle: { readonly target: Mortal; readonly slot: number }[] = [];
  for (const target of mortals) idle.push({ target, slot: await watch.slotOf(target.address) });
  const running: Promise<number>[] = [];
  for (let count = 0; count < killCount; count += 1) {
    await delay(350 + Math.random() * 300);
    const one = await until('a target that lives', () => idle.splice(Math.floor(Math.random() * idle.length), 1)[0]);
    running.push(
      outageOf(one.target, one.slot, watch).then((ms) => {
        idle.push(one);
        return ms;
      }),
    );
  }
  return Promise.all(running);
}

async function measure(options: Pick<HsdoOptions, 'store' | 'intervalSeconds'>): Promise<number[]> {
  const all = Array.from({ length: mortalCount + restCount }, (_, number) => mortal(number));
  const haproxy = await startThousand({ hasChecks: true, size });
  await Promise.all(all.map((one) => one.start()));
  const targets = all.map(({ address }) => ({ name: address, address, port }));
  const hsdo = await startHsdo({
    source: { kind: 'static', targets },
    check,
    socketPath: haproxy.socketPath,
    size,
    ...options,
  });
  const watch = await startAdminWatch(haproxy.socketPath);
  try {
    return await kills(all.slice(0, mortalCount), watch);
  } finally {
    watch.stop();
    await hsdo.stop();
    await Promise.all(all.map((one) => one.kill()));
    await haproxy.stop();
  }
}

interface Scene {
  readonly name: string;
  readonly title: string;
  readonly mostMs: number;
  readonly options: Pick<HsdoOptions, 'store' | 'intervalSeconds'>;
  readonly notes: readonly string[];
}

async function play({ name, title, mostMs, options, notes }: Scene): Promise<Section> {
  const values = await measure(options);
  const { intervalSeconds, fall, timeoutSeconds } = check;
  return {
    name,
    title,
    figures: [
      figure('p50', 'ms', [percentile(values, 0.5)]),
      promise(figure('p99', 'ms', [percentile(values, 0.99)]), `under ${mostMs}`, (p99) => p99 < mostMs),
      figure('all kills', 'ms', values),
    ],
    ratios: [],
    histograms: [histogram('kills', 'ms', values, 15)],
    notes: [
      `${killCount} times one of ${mortalCount} HTTP servers is killed at a random moment; ${restCount} more stay. All are processes of their own.`,
      `The check asks every ${intervalSeconds} s, fall ${fall}, time-out ${timeoutSeconds} s; promised is interval x fall + time-out + ${slackMs} ms${notes.join('')}.`,
      'HAProxy’s own checks rest for an hour, so that nobody but hsdo takes a target out. From before the signal until HAProxy, asked every millisecond, shows the drain.',
    ],
  };
}

/** A target's death until it is out of HAProxy. */
export function outage(): Promise<Section> {
  const title = 'From the death of a target to the drain in HAProxy, embedded store';
  return play({ name: 'outage', title, mostMs: promisedMs, options: {}, notes: [] });
}

/** The same where everybody polls. */
export async function outageOnDynamodb(): Promise<Section> {
  const moto = await startMoto();
  try {
    const { endpoint, region, credentials } = moto;
    const store = { kind: 'dynamodb', table: await makeTable(moto, plainKeys), endpoint, region, credentials };
    return await play({
      name: 'outage-dynamodb',
      title: `The same over DynamoDB (moto), INTERVAL ${pollSeconds} s`,
      mostMs: promisedMs + 2 * pollSeconds * 1000,
      options: { store, intervalSeconds: pollSeconds },
      notes: [', plus one INTERVAL for the votes and one for the client'],
    });
  } finally {
    await moto.stop();
  }
}
