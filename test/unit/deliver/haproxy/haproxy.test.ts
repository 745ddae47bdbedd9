import { pino } from 'pino';
import { expect, it } from 'vitest';
import { haproxySchema } from '../../../../src/deliver/haproxy/config.ts';
import { createHaproxy, stateFileBackends } from '../../../../src/deliver/haproxy/haproxy.ts';
import { emptyMemory, type Memory } from '../../../../src/deliver/haproxy/memory.ts';
import { createMetrics } from '../../../../src/telemetry/metrics.ts';
import { createFakeClock } from '../../../fixtures/clock.ts';
import { snapshotOf } from '../../../fixtures/delivery.ts';
import { until } from '../../../fixtures/until.ts';

const config = haproxySchema.parse({
  sockets: ['/nonexistent/hsdo.sock'],
  backends: [{ name: 'web', baseName: 'web' }],
});
const lodger = { id: 'i-1', name: 'one', address: '10.0.0.1', port: 80 };

function start(memory: Memory) {
  const lines: { msg: string; reason?: string }[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as { msg: string }) });
  const clock = createFakeClock();
  const saved: (number | undefined)[] = [];
  const save = async (now: Memory) => void saved.push(now.snapshot?.revision);
  const haproxy = createHaproxy({ service: 'shop', config, memory, save, clock, log, metrics: createMetrics() });
  const stopping = new AbortController();
  const running = haproxy.run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await running;
  };
  return { haproxy, clock, lines, saved, stop };
}

it('leaves HAProxy alone until there is a snapshot, and saves the snapshot that it got', async () => {
  const { haproxy, clock, saved, stop } = start(emptyMemory('shop'));
  await clock.advance(10_000);
  expect(haproxy.status()).toEqual({ service: 'shop', sockets: [{ socket: '/nonexistent/hsdo.sock', backends: [] }] });
  const snapshot = snapshotOf([lodger]);
  haproxy.deliver(snapshot);
  await until('it tried', () => haproxy.status().sockets[0]?.isUp === false);
  expect(haproxy.status().revision).toBe(snapshot.revision);
  await stop();
  expect(saved.at(-1)).toBe(snapshot.revision);
});

it('begins with the snapshot that it remembers, tries for ever and says once that HAProxy is away', async () => {
  const memory: Memory = { ...emptyMemory('shop'), snapshot: snapshotOf([lodger]) };
  memory.sockets.set('/no/longer/configured.sock', new Map());
  const { haproxy, clock, lines, stop } = start(memory);
  await until('it tried', () => haproxy.status().sockets[0]?.isUp === false);
  await clock.advance(60_000);
  expect(lines.map(({ msg }) => msg)).toEqual(['keeping HAProxy in step fails']);
  expect(lines[0]?.reason).toContain('there is no such file');
  expect([...memory.sockets.keys()]).toEqual([]);
  await stop();
});

it('composes a state file from a snapshot and a memory alone', () => {
  const memory = emptyMemory('shop');
  const [backend] = stateFileBackends(config, snapshotOf([lodger]), memory, 0);
  expect([backend?.name, backend?.wanted.get(1), backend?.remembered.size]).toEqual([
    'web',
    expect.objectContaining({ address: '10.0.0.1', admin: 'ready' }),
    0,
  ]);
});
