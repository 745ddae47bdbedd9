import { describe, expect, it } from 'vitest';
import { composeNotice, composeReminder, headlineOf, linesOf } from '../../../../src/deliver/notify/compose.ts';
import type { ClusterEvent } from '../../../../src/model/event.ts';
import { startAt } from '../../../fixtures/lists.ts';
import { event } from '../../../fixtures/notices.ts';

const down = event({
  id: 'web-5-1',
  kind: 'target-down',
  target: 'web-1',
  address: '10.0.0.1',
  reason: 'no answer in time',
});
const up = event({
  id: 'web-6-1',
  kind: 'target-up',
  target: 'web-1',
  address: '10.0.0.1',
  reason: 'it was down for 4 s',
});
const compose = (all: readonly (readonly ClusterEvent[])[], fields: object = {}, first = 5) =>
  composeNotice({
    cluster: 'prod',
    service: 'web',
    batches: all.map((events, n) => ({ seq: first + n, at: startAt, events })),
    filter: {},
    lost: 0,
    ...fields,
  });

describe('a notice', () => {
  it('says in its first line what matters most, and how much more there is', () => {
    const failover = event({ kind: 'failover', from: 'web-1', target: 'web-2', reason: 'web-1 is down' });
    const notice = compose([[down, failover]]);
    expect(notice).toMatchObject({ id: 'web-5', cluster: 'prod', service: 'web', state: 'alert' });
    expect(headlineOf(notice)).toBe('[prod] ALERT web: failover from web-1 to web-2: web-1 is down (and 1 more)');
    expect(linesOf(notice)).toEqual([
      '2023-11-14 22:13:20 UTC  web-1 (10.0.0.1) is down: no answer in time',
      '2023-11-14 22:13:20 UTC  failover from web-1 to web-2: web-1 is down',
    ]);
  });

  it('is resolved where what was wrong is over, and an alert while anything is', () => {
    expect(compose([[down], [up]])).toMatchObject({ id: 'web-5-6', state: 'resolved' });
    expect(compose([[up]])).toMatchObject({ state: 'resolved' });
    expect(compose([[up], [down]])).toMatchObject({ state: 'alert' });
    expect(compose([[event({ kind: 'switchover', target: 'web-2', by: 'alice' })]])).toMatchObject({ state: 'info' });
    expect(compose([[event({ kind: 'service-up', reason: '2 of 2 targets up' })]], {}, 1)).toMatchObject({
      state: 'info',
    });
  });

  it('holds only what its notifier wants to hear, and says what nobody can hear any more', () => {
    const notice = compose([[down, up], [down]], { filter: { kinds: ['target-up'] }, lost: 3 });
    expect(notice.events).toEqual([up]);
    expect(notice.title).toBe('web: web-1 (10.0.0.1) is up: it was down for 4 s (3 older announcements were lost)');
  });

  it('lists at most two hundred events', () => {
    const many = Array.from({ length: 300 }, (_, n) =>
      event({ kind: 'target-down', target: `t${n}`, id: `web-5-${n}` }),
    );
    const { events, title } = compose([many]);
    expect(events).toHaveLength(200);
    expect(title).toContain('(and 299 more)');
  });

  it('has no second line in its headline, whatever a target is called', () => {
    const notice = compose([[{ ...down, target: 'x\r\nBcc: all@example.org' }]]);
    expect(headlineOf(notice)).not.toMatch(/[\r\n]/);
    expect(linesOf(notice).join('')).not.toMatch(/[\r\n]/);
  });

  it('about the cluster, or about a service of that name, has ids of its own', () => {
    const leader = event({ id: 'cluster-5-1', kind: 'new-leader', node: 's2', from: 's1', reason: 'it was stopped' });
    const notice = compose([[leader]], { service: undefined });
    expect(notice).toMatchObject({
      id: 'cluster-5',
      title: 'cluster: s2 leads, after s1: it was stopped',
      state: 'info',
    });
    expect(compose([[down]], { service: 'cluster' }).id).toBe('service:cluster-5');
  });

  it('reminds with an id of its own each time', () => {
    const outage = { sinceAt: startAt, reason: 'no target is up' };
    const reminder = composeReminder({ cluster: 'prod', service: 'web', outage, n: 2, now: startAt + 7_200_000 });
    expect(reminder).toMatchObject({ id: `web-down-${startAt}-reminder-2`, state: 'reminder' });
    expect(reminder.title).toBe('web: the service is still DOWN, for 2 h: no target is up');
    expect(reminder.events).toHaveLength(1);
  });
});
