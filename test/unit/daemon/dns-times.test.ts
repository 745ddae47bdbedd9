import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { createDnsTimes, nextTimes, type Times } from '../../../src/daemon/dns/dns-times.ts';
import { createClosers } from '../../../src/daemon/lifecycle.ts';
import { failed, passed } from '../../../src/model/probe.ts';
import type { TakenSlot } from '../../../src/model/slot.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { probeOf } from '../../fixtures/checks.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { snapshotOf, taken, target } from '../../fixtures/lists.ts';
import { silentLog } from '../../fixtures/log.ts';

/** The role's times for service `web`, whose targets answer after as many milliseconds as `world` says; 0 fails. */
function setUp(select: Record<string, unknown>, world: Record<string, number>, check: unknown = { kind: 'tcp' }) {
  const clock = createFakeClock();
  const { services, ...rest } = configSchema.parse({
    services: [{ name: 'web', select, ...(check === undefined ? {} : { check }) }],
    store: { kind: 'sqlite', path: '/nowhere' },
    cluster: { nodeId: 's1' },
    stateDirectory: '/nowhere',
  });
  const config = { ...rest, services };
  const turned: string[] = [];
  const asked = new Set<string>();
  const stop = new AbortController();
  const makeCheck = () => ({
    async check({ id }: { readonly id: string }) {
      asked.add(id);
      const totalMs = world[id] ?? 0;
      return totalMs === 0
        ? failed('refused', 'nobody listens')
        : passed('fine', { totalMs, connectMs: 1000 - totalMs });
    },
  });
  let current: Snapshot | undefined;
  const parts = { config, clock, log: silentLog, closers: createClosers() };
  // Whoever is told that the order turned makes the answers anew, by the order that there is then.
  const times = createDnsTimes(parts, services, makeCheck, (name) => {
    turned.push(name);
    if (current) times.rank(current);
  });
  const running = times.run(stop.signal);
  return {
    clock,
    times,
    turned,
    asked,
    watch(snapshot: Snapshot) {
      current = snapshot;
      times.watch(snapshot);
    },
    async end() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

const list = (...ids: string[]) => snapshotOf(ids.map((id, n) => taken(n + 1, target(id))));
/** The interval of the check, and one look. */
const turnMs = 11_000;

describe('the times of a target', () => {
  it('follow its probes, the newest by three tenths', () => {
    const first = nextTimes(undefined, passed('fine', { connectMs: 10, totalMs: 20 }));
    expect(first).toEqual({ connectMs: 10, totalMs: 20 });
    expect(nextTimes(first, passed('fine', { connectMs: 20, totalMs: 120 }))).toEqual({ connectMs: 13, totalMs: 50 });
  });

  it('stay where a probe measured nothing or could not be made, and are gone when one failed', () => {
    const times: Times = { connectMs: 10, totalMs: 20 };
    expect(nextTimes(times, passed('fine', { totalMs: 20 }))).toEqual(times);
    expect(nextTimes(times, probeOf('?'))).toEqual(times);
    expect(nextTimes(times, probeOf('-'))).toBeUndefined();
    expect(nextTimes(undefined, probeOf('-'))).toBeUndefined();
  });
});

describe('the order of answers by time', () => {
  it('is that of the slots until something was timed, then that of the times', async () => {
    const { times, watch, clock, turned, end } = setUp({ kind: 'best-rtt' }, { a1: 30, b2: 10, c3: 20 });
    const snapshot = list('a1', 'b2', 'c3');
    watch(snapshot);
    expect(times.rank(snapshot)).toEqual(['a1', 'b2', 'c3']);
    await clock.advance(turnMs);
    expect(turned).toEqual(['web']);
    expect(times.rank(snapshot)).toEqual(['b2', 'c3', 'a1']);
    await end();
  });

  it('goes by the time until the connection stood where the service says so', async () => {
    const { times, watch, clock, end } = setUp({ kind: 'best-rtt', rttMode: 'connect' }, { a1: 30, b2: 10 });
    watch(list('a1', 'b2'));
    await clock.advance(turnMs);
    expect(times.rank(list('a1', 'b2'))).toEqual(['a1', 'b2']);
    await end();
  });

  it('is told when it turns, at most once a second, and not while it stands', async () => {
    const world = { a1: 10, b2: 20 };
    const { times, watch, clock, turned, end } = setUp({ kind: 'best-rtt' }, world, {
      kind: 'tcp',
      intervalSeconds: 0.1,
    });
    watch(list('a1', 'b2'));
    times.rank(list('a1', 'b2'));
    await clock.advance(5000);
    expect(turned).toEqual([]);
    world.a1 = 90;
    await clock.advance(1000);
    expect(turned).toEqual(['web']);
    expect(times.rank(list('a1', 'b2'))).toEqual(['b2', 'a1']);
    await clock.advance(5000);
    expect(turned).toEqual(['web']);
    await end();
  });

  it('puts one last that this machine does not reach, and one that was not timed yet', async () => {
    const { times, watch, clock, end } = setUp({ kind: 'best-rtt' }, { a1: 0, b2: 10 });
    watch(list('a1', 'b2'));
    await clock.advance(turnMs);
    expect(times.rank(list('a1', 'c3', 'b2'))).toEqual(['b2', 'a1', 'c3']);
    await end();
  });

  it('leaves out whoever takes too long, and orders nobody when all do', async () => {
    const world = { a1: 10, b2: 60 };
    const { times, watch, clock, end } = setUp({ kind: 'best-rtt', maxRttMs: 50 }, world);
    watch(list('a1', 'b2'));
    await clock.advance(turnMs);
    expect(times.rank(list('a1', 'b2'))).toEqual(['a1']);
    world.a1 = 500;
    await clock.advance(turnMs);
    expect(times.rank(list('a1', 'b2'))).toBeUndefined();
    await end();
  });

  it('has only those of the group of the fastest, in the order of their slots', async () => {
    const { times, watch, clock, end } = setUp(
      { kind: 'group-rtt-rr', groupThresholdMs: 5 },
      { a1: 14, b2: 40, c3: 10 },
    );
    watch(list('a1', 'b2', 'c3'));
    await clock.advance(turnMs);
    expect(times.rank(list('a1', 'b2', 'c3'))).toEqual(['a1', 'c3']);
    await end();
  });

  it('asks only those that serve, and forgets the time of one that moved', async () => {
    const { times, watch, clock, asked, end } = setUp({ kind: 'best-rtt' }, { a1: 10, b2: 20, c3: 1 });
    const out: TakenSlot = taken(3, target('c3'), { out: 'down' });
    const before = snapshotOf([taken(1, target('a1')), taken(2, target('b2')), out]);
    watch(before);
    await clock.advance(turnMs);
    expect([...asked].sort()).toEqual(['a1', 'b2']);
    const moved = snapshotOf([taken(1, target('a1', { address: '10.9.9.9' })), taken(2, target('b2'))]);
    watch(moved);
    expect(times.rank(moved)).toEqual(['b2', 'a1']);
    await end();
  });

  it('does not exist where the service does not go by time, and there nobody is asked', async () => {
    const { times, watch, clock, asked, end } = setUp({ kind: 'weighted' }, { a1: 10 });
    watch(list('a1'));
    await clock.advance(turnMs);
    expect(times.rank(list('a1'))).toBeUndefined();
    expect(asked.size).toBe(0);
    await end();
  });

  it('is that of the slots for a service without a check', async () => {
    const { times, watch, clock, end } = setUp({ kind: 'best-rtt' }, {}, undefined);
    watch(list('b2', 'a1'));
    await clock.advance(turnMs);
    expect(times.rank(list('b2', 'a1'))).toEqual(['b2', 'a1']);
    await end();
  });
});
