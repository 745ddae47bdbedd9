import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announceService, type ServiceState } from '../../../../src/deliver/notify/announce.ts';
import type { TakenSlot } from '../../../../src/model/slot.ts';
import type { Snapshot, Switchover } from '../../../../src/model/snapshot.ts';
import { parseBatch, parseHead } from '../../../../src/publish/events-format.ts';
import { encodeRecord } from '../../../../src/publish/snapshot-format.ts';
import { snapshotOf, startAt, taken, target } from '../../../fixtures/lists.ts';

const minute = 60_000;

/** A slot by its target, as the observers see it. */
const slot = (id: string, verdict: 'up' | 'down', fields: Partial<TakenSlot> = {}): TakenSlot =>
  taken(Number(id.replace(/\D/g, '')), target(id), {
    health: { verdict, code: verdict === 'up' ? 'ok' : 'refused', sinceAt: startAt },
    ...(verdict === 'down' ? { out: 'down' as const } : {}),
    ...fields,
  });

/** Plays snapshots one after the other; each line is what was told of one. */
function told(...snapshots: readonly Snapshot[]): readonly string[] {
  let state: ServiceState | undefined;
  return snapshots.map((snapshot) => {
    const { events, state: next } = announceService(state, snapshot);
    state = next;
    return events
      .map(({ kind, target: name, from, reason, by }) =>
        [kind, from && `from ${from}`, name, reason && `(${reason})`, by && `by ${by}`].filter(Boolean).join(' '),
      )
      .join('; ');
  });
}

const both = (one: 'up' | 'down', two: 'up' | 'down', fields: Partial<Snapshot> = {}) =>
  snapshotOf([slot('t1', one), slot('t2', two)], fields);
const panic = { sinceAt: startAt, serves: 'last-good' } as const;

const wish: Switchover = { token: 'w1', targetId: 't2', targetName: 't2', by: 'alice', at: startAt };
const active = (id: string, fields: Partial<Snapshot> = {}) => both('up', 'up', { active: id, ...fields });

describe('what people are told of a service', () => {
  it('is one event at first, however many targets there are', () => {
    expect(told(both('up', 'up'), both('up', 'up'))).toEqual(['service-up (2 of 2 targets up)', '']);
    expect(told(both('up', 'down'))).toEqual(['service-up (1 of 2 targets up; down: t2)']);
    expect(told(both('down', 'down', { panic }))).toEqual([
      'service-down (no target is up; those that served last go on)',
    ]);
    expect(told(snapshotOf([taken(1, target('t1'))]))).toEqual(['service-up (1 target, without a check)']);
    expect(told(snapshotOf([{ state: 'free', index: 1 }]))).toEqual(['service-down (it has no targets)']);
  });

  it('always fits into the record of what was told, or nobody would be told of anything any more', () => {
    const fallback = Array.from({ length: 400 }, (_, n) => `2001:db8:0:1:2:3:4:${n + 1000}`);
    const { events, state } = announceService(
      undefined,
      both('down', 'down', { panic: { ...panic, serves: 'fallback', fallback } }),
    );
    expect(parseHead('notice/service/web', encodeRecord({ seq: 1, first: 1, at: 1, service: state })).service).toEqual(
      state,
    );
    expect(
      parseBatch('event/web/1', encodeRecord({ seq: 1, at: 1, events: [{ ...events[0], id: '1', at: 1 }] })),
    ).toEqual(expect.objectContaining({ events: [expect.objectContaining({ kind: 'service-down' })] }));
  });

  it('is each target that falls, why, and for how long it was down', () => {
    const back = slot('t2', 'up', { health: { verdict: 'up', code: 'ok', sinceAt: startAt + 125_000 } });
    const lines = told(both('up', 'up'), both('up', 'down'), both('up', 'down'), snapshotOf([slot('t1', 'up'), back]));
    expect(lines.slice(1)).toEqual([
      'target-down t2 (nobody listens on the port)',
      '',
      'target-up t2 (it was down for 2 min 5 s)',
    ]);
  });

  it('is nothing while the whole service is under maintenance, and after it what is different then', () => {
    const maintenanceUntilAt = startAt + minute;
    const during = [both('down', 'up', { maintenanceUntilAt }), both('up', 'down', { maintenanceUntilAt })];
    expect(told(both('up', 'up'), ...during, both('up', 'down')).slice(1)).toEqual([
      '',
      '',
      'target-down t2 (nobody listens on the port)',
    ]);
    expect(told(both('up', 'up'), ...during, both('up', 'up')).slice(1)).toEqual(['', '', '']);
  });

  it('is the service when nobody is up any more, and when somebody is again', () => {
    const lines = told(
      both('up', 'down'),
      both('down', 'down', { panic }),
      both('down', 'down', { panic: { ...panic, serves: 'none' } }),
      both('up', 'down', { publishedAt: startAt + 3 * minute }),
    );
    expect(lines.slice(1)).toEqual([
      'target-down t1 (nobody listens on the port); service-down (no target is up; those that served last go on)',
      '',
      'target-up t1 (it was down for 0 s); service-up (it was down for 3 min)',
    ]);
  });

  it('is not a target in maintenance, until the maintenance ends and it is still down', () => {
    const inMaintenance = snapshotOf([slot('t1', 'up'), slot('t2', 'down', { override: 'maint' })]);
    expect(told(both('up', 'up'), inMaintenance, both('up', 'down')).slice(1)).toEqual([
      '',
      'target-down t2 (nobody listens on the port)',
    ]);
  });

  it('is not that a target which was down is gone for good, nor one that nobody can tell anything of', () => {
    const undecided = slot('t2', 'up', { health: { verdict: 'undecided', code: 'ok', sinceAt: startAt } });
    const lines = told(
      both('up', 'down'),
      snapshotOf([slot('t1', 'up'), undecided]),
      snapshotOf([slot('t1', 'up')]),
      both('up', 'up'),
    );
    expect(lines.slice(1)).toEqual(['', '', '']);
  });

  it('calls it a failover where the active one is down, gone or taken out, and switching where it is well', () => {
    const oneDown = both('down', 'up', { active: 't2' });
    const oneHeld = snapshotOf([slot('t1', 'up', { override: 'maint' }), slot('t2', 'up')], { active: 't2' });
    const oneGone = snapshotOf([{ state: 'free', index: 1 }, slot('t2', 'up')], { active: 't2' });
    const of = (second: Snapshot) => told(active('t1'), second)[1];
    expect(of(oneDown)).toBe(
      'target-down t1 (nobody listens on the port); failover from t1 t2 (t1 is down, nobody listens on the port)',
    );
    expect(of(oneHeld)).toBe('failover from t1 t2 (an operator took t1 out (maint))');
    expect(of(oneGone)).toBe('failover from t1 t2 (the former one is gone)');
    expect(of(active('t2'))).toBe('switching from t1 t2');
  });

  it('tells a failover that came over an outage from the one that was active before', () => {
    const nobody = both('down', 'down', { panic: { ...panic, serves: 'none' } });
    const lines = told(active('t1'), nobody, both('down', 'up', { active: 't2' }));
    expect(lines[2]).toContain('failover from t1 t2');
  });

  it('tells a switchover once, by whom, and why it ended', () => {
    const wanted = active('t2', { switchover: wish });
    const purged = active('t1', { switchover: { ...wish, ended: 'purged', endedBy: 'bob' } });
    expect(told(active('t1'), wanted, wanted, purged, purged).slice(1)).toEqual([
      'switchover from t1 t2 by alice',
      '',
      'switchover-purged t2 (an operator purged it (bob)) by bob; switching from t2 t1',
      '',
    ]);
    const down = both('up', 'down', { active: 't1', switchover: { ...wish, ended: 'down' } });
    expect(told(active('t1'), wanted, down)[2]).toBe(
      'target-down t2 (nobody listens on the port); switchover-purged t2 (its target went down); ' +
        'failover from t2 t1 (t2 is down, nobody listens on the port)',
    );
  });

  it('tells a wish whose target becomes the active one only later as one switchover and its execution', () => {
    const lines = told(active('t1'), active('t1', { switchover: wish }), active('t2', { switchover: wish }));
    expect(lines.slice(1)).toEqual(['switchover t2 by alice', 'switchover from t1 t2 by alice']);
  });

  it('makes up for what a leader saw and did not live to tell', () => {
    const missed = both('up', 'down', { active: 't1', switchover: { ...wish, ended: 'purged' } });
    expect(told(active('t1'), missed)[1]).toBe(
      'target-down t2 (nobody listens on the port); switchover-purged t2 (an operator purged it)',
    );
  });

  it('counts what is more than a hundred at a time, and remembers no more than a record holds', () => {
    const many = (verdict: 'up' | 'down') =>
      snapshotOf(Array.from({ length: 6000 }, (_, n) => slot(`t${n + 1}`, verdict)));
    const up = announceService(undefined, many('up'));
    const { events, state } = announceService(up.state, many('down'));
    expect(events).toHaveLength(102);
    expect(events[100]).toMatchObject({
      kind: 'target-down',
      service: 'web',
      reason: expect.stringMatching(/^\d+ more/),
    });
    expect(events[101]).toMatchObject({ kind: 'service-down' });
    expect(JSON.stringify(state).length).toBeLessThan(256 * 1024);
    expect(announceService(state, many('up')).state.downs).toEqual([]);
  });

  it('says nothing twice, and ends with the truth from wherever it begins', () => {
    const verdict = fc.constantFrom('up', 'down', 'gone', 'maint' as const);
    const lists = fc.array(fc.tuple(verdict, verdict, verdict), { minLength: 1, maxLength: 6 });
    const snapshot = (verdicts: readonly string[]) =>
      snapshotOf(
        verdicts.map((one, n) => {
          if (one === 'gone') return { state: 'free' as const, index: n + 1 };
          return slot(`t${n + 1}`, one === 'up' ? 'up' : 'down', one === 'maint' ? { override: 'maint' } : {});
        }),
      );
    fc.assert(
      fc.property(lists, (steps) => {
        let state: ServiceState | undefined;
        for (const step of steps) state = announceService(state, snapshot(step)).state;
        const last = snapshot(steps.at(-1) ?? []);
        expect(announceService(state, last).events).toEqual([]);
        const downs = (steps.at(-1) ?? []).flatMap((one, n) => (one === 'down' ? [`t${n + 1}`] : []));
        const known = new Set(state?.downs.map(({ id }) => id));
        // In maintenance what was told before still stands.
        expect(downs.every((id) => known.has(id))).toBe(true);
      }),
    );
  });
});
