import { readFileSync } from 'node:fs';
import { dnsSchema } from '../../../src/deliver/dns/config.ts';
import { startDns } from '../../../src/deliver/dns/dns.ts';
import { compileChapter } from '../../../src/deliver/dns/records/compile.ts';
import type { RecordSet } from '../../../src/deliver/dns/records/records.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { versionCount } from './versions.ts';
import type { BenchZone } from './zone.ts';

/**
 * The responder as it is shipped, with compiled chapters and nothing else of hsdo, as a process of its own. Argument: a
 * file with {@link HsdoDnsOrder} in JSON.
 */
export interface HsdoDnsOrder {
  readonly host: string;
  readonly port: number;
  readonly transport: 'batch' | 'dgram';
  readonly zone: BenchZone;
  /** Port of a server that is asked for everything else, without a cache. */
  readonly forwardTo?: number;
  /** What the main thread does from SIGUSR2 to SIGHUP. */
  readonly deed?: 'work' | 'swap';
}

const swapEveryMs = 250;
const [workMs, workEveryMs] = [30, 300];

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as HsdoDnsOrder;

const plain = { ttlSeconds: 60, order: 'turns', answers: 1000 } as const;

function zoneChapter({ domain }: BenchZone): Uint8Array {
  const primary = `ns.${domain}`;
  const times = { refreshSeconds: 7200, retrySeconds: 1800, expireSeconds: 259_200, negativeTtlSeconds: 60 };
  const sets: RecordSet[] = [
    {
      ...{ ...plain, type: 'SOA' },
      records: [{ data: { type: 'SOA', primary, mailbox: `hostmaster.${domain}`, serial: 1, ...times } }],
    },
    { ...plain, type: 'NS', records: [{ data: { type: 'NS', target: primary } }] },
  ];
  const names = [{ name: domain, sets, apex: domain, otherTypes: 'nodata' as const }];
  return compileChapter({ key: '(zones)', names });
}

/** One chapter for each name, as for one service each; the second byte of its addresses is the version. */
function chapters({ domain, names }: BenchZone, version: number): Uint8Array[] {
  return names.map(({ name, addresses }) => {
    const records = addresses.map((address) => ({
      data: { type: 'A' as const, address: address.replace(/^10\.0\./, `10.${version}.`) },
    }));
    const sets = [{ ...plain, type: 'A' as const, records }];
    return compileChapter({ key: name, names: [{ name, sets, apex: domain, otherTypes: 'nodata' }] });
  });
}

/** What a reload or a big answer of an API does to a main thread. */
function work(): void {
  const endAt = performance.now() + workMs;
  let text = JSON.stringify(order);
  while (performance.now() < endAt) text = JSON.stringify(JSON.parse(text));
}

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
const { host, port, transport, zone, forwardTo, deed } = order;
const forward = { to: [`${host}:${forwardTo}`], cache: { maxBytes: 0 } };
const config = dnsSchema.parse({
  ...{ listen: [`${host}:${port}`], transport },
  ...(forwardTo === undefined ? {} : { forward }),
});
const thread = await startDns(
  {
    ...{ config, clock: systemClock, log: createLog({ level: 'info', format: 'text' }), onCounts() {} },
    chapters: [zoneChapter(zone), ...chapters(zone, 0)],
  },
  stopping.signal,
);

function startDeed(): () => void {
  if (deed === 'work') return work;
  const versions = Array.from({ length: versionCount }, (_, version) => chapters(zone, version));
  let current = 0;
  return () => {
    current = (current + 1) % versionCount;
    thread.publish(versions[current] ?? []);
  };
}

if (deed !== undefined) {
  const act = startDeed();
  let timer: NodeJS.Timeout | undefined;
  process.on('SIGUSR2', () => {
    timer ??= setInterval(act, deed === 'work' ? workEveryMs : swapEveryMs);
  });
  process.on('SIGHUP', () => {
    clearInterval(timer);
    timer = undefined;
  });
}
await thread.run(stopping.signal);
