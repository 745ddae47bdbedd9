import { afterEach, describe, expect, it } from 'vitest';
import { createSwitching, type Switching } from '../../../src/daemon/switching/switching.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { createLeadership, createOutside, listWith } from '../../fixtures/switching.ts';
import { until } from '../../fixtures/until.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** One service's switching at one server, with its clock, its leadership and what it switches. */
function stage({ current = '192.0.2.1' as string | undefined, delayMs = 0 } = {}) {
  const [clock, lease, log, metrics] = [createFakeClock(), createLeadership(), recordingLog(), createMetrics()];
  const outside = createOutside(current);
  const rules = { reconcileMs: 5000, freshMs: 1000, delayMs };
  const create = () => outside.switcher();
  const fields = { service: 'web', kind: 'test', rules, timeoutMs: 300, create };
  const switching: Switching = createSwitching({ ...fields, lease, clock, log, metrics });
  const end = new AbortController();
  const running = switching.run(end.signal);
  stops.push(async () => {
    end.abort();
    await running;
  });
  const lead = (epoch: number) => {
    const term = lease.lead(epoch);
    switching.leaseChanged();
    return term;
  };
  const sample = async (name: string) => (await metrics.registry.getSingleMetric(name)?.get())?.values ?? [];
  return { clock, lease, log, outside, switching, lead, sample };
}

describe('the switching of a service', () => {
  it('does nothing while this server does not lead, and reads at once when it does', async () => {
    const { clock, outside, switching, lead } = stage();
    await clock.advance(120_000);
    expect(outside.done()).toEqual([]);
    expect(switching.observed()).toEqual({ isKnown: false });
    expect(switching.view()).toBeUndefined();
    lead(1);
    await clock.advance(0);
    expect(outside.done()).toEqual(['read']);
    expect(switching.observed()).toEqual({ isKnown: true, entry: '192.0.2.1' });
    expect(switching.view()).toMatchObject({ kind: 'test', current: '192.0.2.1' });
  });

  it('switches when a round decides so, reads back, and looks again after reconcileSeconds', async () => {
    const { clock, outside, switching, lead, sample, log } = stage();
    const term = lead(7);
    await clock.advance(0);
    switching.decided(listWith('ep-1'), term);
    await clock.advance(4000);
    expect(outside.done()).toEqual(['read']);
    expect(switching.view()).toMatchObject({ wanted: 'ep-1', agrees: true });
    switching.decided(listWith('ep-2'), term);
    await clock.advance(0);
    // What was read 4 s ago is too old to switch on.
    expect(outside.done()).toEqual(['read', 'switch ep-2', 'read']);
    expect(switching.view()).toMatchObject({
      wanted: 'ep-2',
      current: '192.0.2.2',
      agrees: true,
      lastSwitchAt: clock.now(),
    });
    expect(log.lines).toContainEqual({
      level: 'info',
      fields: { service: 'web', kind: 'test', from: '192.0.2.1', to: 'ep-2', address: '192.0.2.2', epoch: 7 },
      message: 'the entry point is switched',
    });
    expect(await sample('hsdo_switch_total')).toMatchObject([{ labels: { outcome: 'switched' }, value: 1 }]);
    expect(await sample('hsdo_switch_agrees')).toMatchObject([{ value: 1 }]);
    // Somebody else points it elsewhere.
    outside.current = '192.0.2.3';
    await clock.advance(4999);
    expect(outside.done()).toEqual([]);
    await clock.advance(1);
    expect(outside.done()).toEqual(['read', 'switch ep-2', 'read']);
  });

  it('takes no list of another term, and asks for the term before each call', async () => {
    const { clock, outside, switching, lead, lease, sample } = stage();
    const old = lead(1);
    await clock.advance(0);
    lead(2);
    switching.decided(listWith('ep-2'), old);
    await clock.advance(0);
    // The new term reads for itself, and knows no list yet.
    expect(outside.done()).toEqual(['read', 'read']);
    // The lease lapses by its own clock, which tells nobody.
    lease.end();
    outside.current = '192.0.2.3';
    await clock.advance(60_000);
    expect(outside.done()).toEqual([]);
    expect(switching.observed()).toEqual({ isKnown: false });
    expect(await sample('hsdo_switch_last_success_timestamp_seconds')).toEqual([]);
  });

  it('switches nothing where there is no active target', async () => {
    const { clock, outside, switching, lead } = stage();
    const term = lead(1);
    switching.decided(listWith(undefined), term);
    switching.decided(listWith('ep-2', { panic: { sinceAt: 0, serves: 'none' } }), term);
    await clock.advance(5000);
    expect(outside.done()).toEqual(['read', 'read']);
    expect(switching.problems()).toEqual([]);
  });

  it('backs off from one that is away, waits as long as it was told to, and says so after a minute', async () => {
    const { clock, outside, switching, lead } = stage();
    const term = lead(1);
    outside.failures.push(new HsdoError('unavailable', 'slow down', { retryAfterMs: 40_000 }));
    switching.decided(listWith('ep-2'), term);
    await clock.advance(39_999);
    switching.decided(listWith('ep-3'), term);
    await clock.advance(0);
    expect(outside.done()).toEqual(['read']);
    expect(switching.view()).toMatchObject({ lastError: 'slow down', nextTryAt: clock.now() + 1 });
    outside.failures.push(...Array.from({ length: 40 }, () => new HsdoError('unavailable', 'away')));
    await clock.advance(30_000);
    // Half of 2, 4, 8, 16, 30 s at the least.
    expect(outside.done().length).toBeGreaterThanOrEqual(3);
    expect(switching.problems()).toEqual([
      { part: 'switch "web" (test)', message: 'not known where it points, wanted: ep-3 (192.0.2.3): away' },
    ]);
    outside.failures.length = 0;
    await clock.advance(31_000);
    expect(outside.current).toBe('192.0.2.3');
    expect(switching.problems()).toEqual([]);
    expect(switching.view()?.lastError).toBeUndefined();
  });

  it('calls a refusal a problem at once and tries it once a minute, but another target at once', async () => {
    const { clock, outside, switching, lead, log, sample } = stage();
    const term = lead(1);
    await clock.advance(0);
    outside.failures.push(...Array.from({ length: 9 }, () => new HsdoError('rejected', 'no right')));
    switching.decided(listWith('ep-2'), term);
    await clock.advance(100);
    expect(outside.done()).toEqual(['read', 'switch ep-2']);
    expect(switching.problems()).toMatchObject([
      { message: 'it points at 192.0.2.1, wanted: ep-2 (192.0.2.2): no right' },
    ]);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await clock.advance(59_000);
    expect(outside.done()).toEqual([]);
    await clock.advance(1000);
    expect(outside.done()).toEqual(['read']);
    expect(await sample('hsdo_switch_total')).toMatchObject([{ labels: { outcome: 'rejected' }, value: 1 }]);
    outside.failures.length = 0;
    switching.decided(listWith('ep-3'), term);
    await clock.advance(0);
    expect(outside.done()).toEqual(['read', 'switch ep-3', 'read']);
    expect(switching.problems()).toEqual([]);
  });

  it('does not switch over and over where the outside takes a switch and stays as it is', async () => {
    const { clock, outside, switching, lead } = stage();
    outside.isDeaf = true;
    switching.decided(listWith('ep-2'), lead(1));
    await clock.advance(120_000);
    const switches = outside.done().filter((call) => call.startsWith('switch')).length;
    expect(switches).toBeGreaterThanOrEqual(5);
    expect(switches).toBeLessThanOrEqual(13);
    expect(switching.problems()[0]?.message).toContain('it took the switch, and points at 192.0.2.1 nevertheless');
  });

  it('waits the delay before it follows to another target, but not when an operator wants that', async () => {
    const { clock, outside, switching, lead } = stage({ delayMs: 100_000 });
    const term = lead(1);
    switching.decided(listWith('ep-2'), term);
    await clock.advance(0);
    switching.decided(listWith('ep-3'), term);
    await clock.advance(99_000);
    expect(outside.current).toBe('192.0.2.2');
    expect(switching.view()).toMatchObject({ wanted: 'ep-3', agrees: false, nextTryAt: clock.now() + 1000 });
    expect(switching.problems()).toEqual([]);
    await clock.advance(1000);
    expect(outside.current).toBe('192.0.2.3');
    const switchover = { token: 't', targetId: 'ep-1', targetName: 'ep-1', by: 'me', at: 0 };
    switching.decided(listWith('ep-1', { switchover }), term);
    await clock.advance(0);
    expect(outside.current).toBe('192.0.2.1');
  });

  it('gives up a call that hangs, at its time limit and when its term ends', async () => {
    const { clock, outside, switching, lead, lease } = stage();
    outside.isHanging = true;
    lead(1);
    await clock.advance(0);
    // The limit of one call is on the machine's own clock.
    await until('the call is given up', () => switching.view()?.lastError !== undefined);
    expect(switching.view()?.lastError).toBe('The switcher "test" of service "web" did not answer in 300 ms');
    await clock.advance(3000);
    expect(outside.done()).toEqual(['read', 'read']);
    lease.end();
    switching.leaseChanged();
    outside.isHanging = false;
    lead(2);
    await clock.advance(0);
    expect(switching.observed()).toEqual({ isKnown: true, entry: '192.0.2.1' });
  });
});
