import { setTimeout as delay } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { hsdoKeys, makeTable, rawClient } from '../fixtures/dynamodb.ts';
import { type Moto, startMoto } from '../fixtures/moto.ts';
import { fileCrowd, member } from './crowd.ts';
import { figure, type Section } from './figures.ts';
import { startHsdo } from './hsdo-processes.ts';
import { readUnits } from './read-units.ts';
import { type Call, type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { startSlotWatch } from './slot-watch.ts';
import { slotCount, startThousand } from './thousand.ts';

const members = Array.from({ length: slotCount }, (_, number) => member(number));
const windowMs = 10_000;
const hourMs = 3_600_000;

const unitsOf = ({ operation, request, response }: Call) => readUnits(operation, request, response);

/** What a client that nothing happens to asks of DynamoDB in the window; its first reads are over. */
async function idleCalls(moto: Moto, proxy: RecordingProxy, table: string): Promise<readonly Call[]> {
  const haproxy = await startThousand({ hasChecks: false });
  const crowd = await fileCrowd(members);
  const { endpoint, region, credentials } = moto;
  const store = { kind: 'dynamodb', hsdoTable: table, endpoint, region, credentials };
  const clientStore = { ...store, endpoint: proxy.endpoint };
  const hsdo = await startHsdo({ source: crowd.source, socketPath: haproxy.socketPath, store, clientStore });
  const watch = await startSlotWatch(haproxy.socketPath);
  try {
    await watch.taken(members.length);
    await delay(2000);
    const before = proxy.calls().length;
    await delay(windowMs);
    return proxy.calls().slice(before);
  } finally {
    watch.stop();
    await hsdo.stop();
    await crowd.stop();
    await haproxy.stop();
  }
}

/** One tick of HSDO's client: a scan of the whole table, page by page, eventually consistent. */
async function hsdoScan(moto: Moto, proxy: RecordingProxy, table: string): Promise<readonly Call[]> {
  const before = proxy.calls().length;
  const client = rawClient({ ...moto, endpoint: proxy.endpoint });
  let from: Record<string, never> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: table, ExclusiveStartKey: from }));
    from = page.LastEvaluatedKey as Record<string, never> | undefined;
  } while (from !== undefined);
  client.destroy();
  return proxy.calls().slice(before);
}

/** Calls of each operation, such as `10 GetItem`. */
function tally(calls: readonly Call[]): string {
  const operations = [...new Set(calls.map(({ operation }) => operation))];
  return operations.map((one) => `${calls.filter(({ operation }) => operation === one).length} ${one}`).join(', ');
}

/** What an idle client costs in DynamoDB, against HSDO's client. */
export async function idleReads(): Promise<Section> {
  const moto = await startMoto();
  const proxy = await startRecordingProxy(moto.endpoint);
  try {
    const table = await makeTable(moto, hsdoKeys);
    const calls = await idleCalls(moto, proxy, table);
    const [first, last] = [calls[0], calls.at(-1)];
    if (!first || !last || first === last)
      throw new Error(`a client asked DynamoDB ${calls.length} times in ${windowMs} ms`);
    const gapMs = (last.at - first.at) / (calls.length - 1);
    const units = calls.reduce((sum, call) => sum + unitsOf(call), 0) / calls.length;
    const perHour = (units * hourMs) / gapMs;
    const scan = await hsdoScan(moto, proxy, table);
    const scanUnits = scan.reduce((sum, call) => sum + unitsOf(call), 0);
    const hsdoPerHour = scanUnits * 3600;
    return {
      name: 'idle-reads',
      title: `What an idle client reads from DynamoDB, HSDO's table with ${slotCount} targets, INTERVAL 1 s`,
      figures: [
        figure('hsdo: each poll', 'units', calls.map(unitsOf)),
        figure('hsdo: in an hour', 'units', [perHour]),
        figure("HSDO's scan: each tick", 'units', [scanUnits]),
        figure("HSDO's scan: in an hour", 'units', [hsdoPerHour]),
      ],
      ratios: [{ label: "HSDO's scan / hsdo, in an hour", summary: figure('', '', [hsdoPerHour / perHour]).summary }],
      notes: [
        `Written down by a proxy in ${windowMs / 1000} s: ${tally(calls)}; units by AWS's rule for the sizes of the items that came back.`,
        `HSDO's scan really went out once (${tally(scan)}) and is counted 3600 times.`,
      ],
    };
  } finally {
    await proxy.stop();
    await moto.stop();
  }
}
