import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Remembered } from '../../../../src/deliver/haproxy/decide.ts';
import type { Wanted } from '../../../../src/deliver/haproxy/desired.ts';
import { type Pass, reconcile } from '../../../../src/deliver/haproxy/reconcile.ts';
import { createRefusals } from '../../../../src/deliver/haproxy/refusals.ts';
import { createFakeClock } from '../../../fixtures/clock.ts';

/** One connection as it was seen by the peer. */
type Lines = string[];

let folder: string;
let server: Server;
let connections: Lines[];
/** The peer's answer to a line of the n-th connection (from 0); `'close'` ends it. */
let answer: (line: string, connection: number) => string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-reconcile-'));
  connections = [];
  server = createServer((peer) => {
    const lines: Lines = [];
    const number = connections.push(lines) - 1;
    peer.on('error', () => {});
    peer.on('data', (chunk) => {
      for (const line of chunk.toString().trimEnd().split('\n')) {
        lines.push(line);
        const text = line === 'prompt' ? '' : answer(line, number);
        if (text === 'close') peer.destroy();
        else peer.write(`${text}\n> `);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const header =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_check_state srv_agent_state srv_port';
const rows = (...lines: string[]) => `1\n${header}\n${lines.join('\n')}\n`;
const ready = '3 web 1 web1 10.0.0.1 2 4 10 1 8 0 80';
const wanted = new Map<number, Wanted>([
  [
    1,
    {
      index: 1,
      admin: 'ready',
      targetId: 'i',
      targetName: 'n',
      address: '10.0.0.1',
      port: 80,
      weight: 10,
      isForced: false,
    },
  ],
]);

function pass(changes: Partial<Pass> = {}): Pass {
  return {
    socket: join(folder, 's'),
    timeoutMs: 1000,
    mayGrow: false,
    wantsInfo: false,
    refusals: createRefusals(createFakeClock()),
    seen: new Map(),
    save: async () => {},
    backends: [{ name: 'web', baseName: 'web', wanted, remembered: new Map() }],
    ...changes,
  };
}
const run = (changes: Partial<Pass> = {}) => reconcile(pass(changes), new AbortController().signal);

it('asks one question and sends nothing else when nothing differs', async () => {
  answer = () => rows(ready);
  const { backends } = await run();
  expect(connections).toEqual([['prompt', 'show servers state web']]);
  expect(backends[0]).toMatchObject({ commands: 0, drift: [], held: [], missing: [], findings: [] });
});

it('sends the differences, reads back on the same connection and believes only that', async () => {
  answer = (line) => (line.startsWith('show servers') ? rows(ready.replace(' 10 1 ', ' 9 1 ')) : '');
  const { backends } = await run();
  expect(connections).toEqual([
    ['prompt', 'show servers state web', 'set server web/web1 weight 10', 'show servers state web', 'show info'],
  ]);
  expect(backends[0]?.drift).toHaveLength(1);
});

it('takes servers out of all backends before it lets any in', async () => {
  const one = wanted.get(1);
  const [out, into] = [10, 20].map((at) => {
    const lists = [1, 2].map((n) => [
      n,
      { ...one, index: n, admin: n === 1 ? (at === 10 ? 'drain' : 'ready') : 'ready' },
    ]);
    return new Map(lists as [number, Wanted][]);
  }) as [Map<number, Wanted>, Map<number, Wanted>];
  const second = ready.replace(' 1 web1 ', ' 2 web2 ');
  const drained = (row: string) => row.replace(' 2 4 10 ', ' 2 12 10 ');
  answer = (line) => {
    if (line === 'show servers state b') return rows(ready, drained(second)).replaceAll('3 web ', '4 b ');
    return line === 'show servers state a'
      ? rows(drained(ready), ready.replace(' 1 web1 ', ' 2 web2 ')).replaceAll('3 web ', '3 a ')
      : '';
  };
  await run({
    backends: [
      { name: 'a', baseName: 'web', wanted: into, remembered: new Map() },
      { name: 'b', baseName: 'web', wanted: out, remembered: new Map() },
    ],
  });
  expect(connections[0]?.filter((line) => line.startsWith('set'))).toEqual([
    'set server b/web1 state drain',
    'set server a/web1 state ready',
    'set server b/web2 state ready',
  ]);
});

it('tries once more at once when it met the old process of a reload', async () => {
  answer = (line, connection) => {
    if (line.startsWith('set')) return connection === 0 ? 'Proxy is disabled.\n' : '';
    const isDone = connections[1]?.some((each) => each.startsWith('set')) === true;
    return line === 'show info' ? '' : rows(isDone ? ready : ready.replace(' 10 1 ', ' 9 1 '));
  };
  const { backends } = await run();
  expect([connections.length, backends[0]?.drift]).toEqual([2, []]);
});

it('tries once more at once when the connection ends half-way, and says why it gave up', async () => {
  answer = (_, connection) => (connection === 0 ? 'close' : rows(ready));
  expect((await run()).backends[0]?.drift).toEqual([]);
  answer = () => 'close';
  await expect(run()).rejects.toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(connections).toHaveLength(4);
});

it('saves the memory before it sends what a crash would make look like an operator', async () => {
  const remembered = new Map<number, Remembered>([
    [
      1,
      { targetId: 'i', address: '10.0.0.1', port: 80, admin: 'ready', isUp: true, initialWeight: 1, hasAgent: false },
    ],
  ]);
  const order: string[] = [];
  answer = (line) => {
    order.push(line);
    return line.startsWith('show servers') ? rows(ready) : '';
  };
  const save = async (_: string, servers: ReadonlyMap<number, Remembered>) => void order.push(`save ${servers.size}`);
  await run({
    save,
    backends: [{ name: 'web', baseName: 'web', wanted: new Map([[1, { index: 1, admin: 'maint' }]]), remembered }],
  });
  expect(order.slice(0, 3)).toEqual(['show servers state web', 'save 0', 'set server web/web1 state maint']);
});

it('reports a backend that HAProxy does not have, and works on the others', async () => {
  answer = (line) => (line.endsWith(' nosuch') ? "Can't find backend.\n" : rows(ready));
  const other = { name: 'nosuch', baseName: 'web', wanted, remembered: new Map() };
  const { backends } = await run({ backends: [other, ...pass().backends] });
  expect(backends.map(({ error }) => error?.code)).toEqual(['rejected', undefined]);
});

it('lets refused steps rest, and counts them as drift', async () => {
  answer = (line) =>
    line.startsWith('show servers')
      ? rows(ready.replace(' 10 1 ', ' 9 1 '))
      : line.startsWith('set')
        ? 'Permission denied\n'
        : '';
  const given = pass();
  const signal = new AbortController().signal;
  const first = (await reconcile(given, signal)).backends[0];
  expect(first?.findings[0]?.reason).toContain('Permission denied');
  const second = (await reconcile(given, signal)).backends[0];
  expect([second?.commands, second?.drift.length]).toEqual([0, 1]);
});
