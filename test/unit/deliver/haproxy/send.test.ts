import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../../../src/deliver/haproxy/plan.ts';
import { type Errands, openLanes, sendErrands } from '../../../../src/deliver/haproxy/send.ts';

let folder: string;
let path: string;
let server: Server;
/** Every command with the number of the connection it came over, in order of arrival. */
let heard: { lane: number; line: string }[];
const peers: Socket[] = [];
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-send-'));
  path = join(folder, 'peer.sock');
  heard = [];
  let lanes = 0;
  server = createServer((peer) => {
    const lane = lanes++;
    peers.push(peer);
    let rest = '';
    peer.on('error', () => {});
    peer.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line !== 'prompt') heard.push({ lane, line });
        const isRefused = line.includes('/web7 weight');
        peer.write(isRefused ? 'No such server.\n\n> ' : line.startsWith('show') ? `${line}!\n\n> ` : '\n> ');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const out = (index: number): Change => ({
  index,
  server: `web${index}`,
  steps: [
    { do: 'weight', weight: 1 },
    { do: 'state', state: 'maint' },
  ],
});
const into = (index: number): Change => ({
  index,
  server: `web${index}`,
  steps: [
    { do: 'weight', weight: 9 },
    { do: 'state', state: 'ready' },
  ],
});
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

async function send(backends: readonly Errands[]) {
  const lanes = await openLanes(path, { timeoutMs: 5000 }, never);
  try {
    return await sendErrands(path, lanes, backends, ['show servers state web', 'show info']);
  } finally {
    lanes.close();
  }
}

const linesOf = (server: string) => heard.filter(({ line }) => line.includes(`/${server} `));

describe('sending changes to HAProxy', () => {
  it('takes one connection for few changes, and asks behind them', async () => {
    const { outcomes, replies } = await send([{ backend: 'web', turns: [[out(1)], [into(2)]] }]);
    expect(heard.map(({ lane, line }) => `${lane} ${line}`)).toEqual([
      '0 set server web/web1 weight 1',
      '0 set server web/web1 state maint',
      '0 set server web/web2 weight 9',
      '0 set server web/web2 state ready',
      '0 show servers state web',
      '0 show info',
    ]);
    expect(outcomes).toEqual([{ sent: [out(1), into(2)], commands: 4, findings: [] }]);
    expect(replies).toEqual(['show servers state web!\n', 'show info!\n']);
  });

  it('spreads many over two connections: each server over one, in order, and nobody in before everybody is out', async () => {
    const turns = [range(1, 150).map(out), range(151, 300).map(into)];
    const { outcomes } = await send([{ backend: 'web', turns }]);
    expect(outcomes[0]).toMatchObject({ commands: 600 });
    expect(new Set(heard.map(({ lane }) => lane))).toEqual(new Set([0, 1]));
    for (const change of turns.flat()) {
      const lines = linesOf(change.server);
      expect(new Set(lines.map(({ lane }) => lane)).size).toBe(1);
      expect(lines.map(({ line }) => line.split(' ')[3])).toEqual(['weight', 'state']);
    }
    const lastOut = heard.findLastIndex(({ line }) => line.endsWith('maint'));
    const firstIn = heard.findIndex(({ line }) => line.endsWith('ready'));
    expect(firstIn).toBeGreaterThan(lastOut);
    expect(heard.slice(-2).map(({ line }) => line)).toEqual(['show servers state web', 'show info']);
  });

  it('finds whose command was refused, on whichever connection', async () => {
    const { outcomes } = await send([
      { backend: 'other', turns: [range(1, 60).map(out), []] },
      { backend: 'web', turns: [range(1, 60).map(out), []] },
    ]);
    const finding = { index: 7, server: 'web7', reason: expect.stringContaining('HAProxy refused "weight"') };
    expect(outcomes.map(({ findings }) => findings)).toEqual([[finding], [finding]]);
    expect(outcomes.map(({ commands }) => commands)).toEqual([120, 120]);
  });
});
