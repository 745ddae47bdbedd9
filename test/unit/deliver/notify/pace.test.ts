import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hourMs, type Manner, type Matter, paceOf } from '../../../../src/deliver/notify/pace.ts';
import { startAt as now } from '../../../fixtures/lists.ts';

const manner: Manner = { groupMs: 5000, perHour: 3, remindMs: 0, maxReminders: 2 };
const matter = (scope: string, fields: Partial<Matter> = {}): Matter => ({ scope, cursor: { seq: 4 }, ...fields });
const act = (pace: ReturnType<typeof paceOf>) => (pace.act === 'wait' ? pace.ms : `${pace.act} ${pace.matter.scope}`);

describe('when a notifier says what', () => {
  it('waits until what belongs together is together', () => {
    const waiting = [matter('web', { waitingSinceAt: now - 2000 })];
    expect(act(paceOf(manner, waiting, [], now))).toBe(3000);
    expect(act(paceOf(manner, waiting, [], now + 3000))).toBe('tell web');
    expect(act(paceOf({ ...manner, groupMs: 0 }, waiting, [], now))).toBe('tell web');
  });

  it('never waits longer than that for what a leader with a clock ahead wrote', () => {
    expect(act(paceOf(manner, [matter('web', { waitingSinceAt: now + hourMs })], [], now))).toBe(5000);
  });

  it('says the oldest first, but goes on with what was begun', () => {
    const two = [matter('web', { waitingSinceAt: now - 6000 }), matter('db', { waitingSinceAt: now - 9000 })];
    expect(act(paceOf(manner, two, [], now))).toBe('tell db');
    const begun = matter('web', { waitingSinceAt: now, cursor: { seq: 4, sending: { from: 5, to: 6 } } });
    expect(act(paceOf(manner, [...two, begun], [now, now, now], now))).toBe('tell web');
  });

  it('is quiet above its limit, until the hour is over', () => {
    const waiting = [matter('web', { waitingSinceAt: now - 60_000 })];
    const sentAt = [now - hourMs + 1000, now - 2000, now - 1000];
    expect(act(paceOf(manner, waiting, sentAt, now))).toBe(1000);
    expect(act(paceOf(manner, waiting, sentAt, now + 1000))).toBe('tell web');
    expect(act(paceOf(manner, waiting, [now + hourMs, now, now], now))).toBe(hourMs);
  });

  it('reminds of an outage that goes on as often as asked, and anew of the next one', () => {
    const reminding = { ...manner, remindMs: 60_000 };
    const outage = { sinceAt: now - 60_000, reason: 'no target is up' };
    expect(act(paceOf(reminding, [matter('web', { outage })], [], now - 1000))).toBe(1000);
    expect(act(paceOf(reminding, [matter('web', { outage })], [], now))).toBe('remind web');
    const reminders = { outageAt: outage.sinceAt, count: 1, at: now };
    const once = matter('web', { outage, cursor: { seq: 4, reminders } });
    expect(act(paceOf(reminding, [once], [], now + 1000))).toBe(59_000);
    const twice = matter('web', { outage, cursor: { seq: 4, reminders: { ...reminders, count: 2 } } });
    expect(act(paceOf(reminding, [twice], [], now + hourMs))).toBe(hourMs);
    const anew = { ...twice, outage: { ...outage, sinceAt: now } };
    expect(act(paceOf(reminding, [anew], [], now + 60_000))).toBe('remind web');
    const hasNews = { ...once, waitingSinceAt: now };
    expect(act(paceOf(reminding, [hasNews], [], now + 60_000))).toBe('tell web');
  });

  it('never says more in an hour than it may, and everything in the end', () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 3 * hourMs }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 5 }), (offsets, perHour) => {
        const all = offsets.map((offset) => now + offset).sort((a, b) => a - b);
        const sentAt: number[] = [];
        let at = now;
        let seq = 0;
        for (let step = 0; seq < all.length; step += 1) {
          if (step > 1000) throw new Error('it never ends');
          const [waitingSinceAt] = all.slice(seq).filter((one) => one <= at);
          const pending = waitingSinceAt === undefined ? {} : { waitingSinceAt };
          const pace = paceOf({ ...manner, perHour }, [matter('web', { ...pending, cursor: { seq } })], sentAt, at);
          if (pace.act !== 'wait') {
            seq = all.filter((one) => one <= at).length;
            sentAt.push(at);
          } else at = waitingSinceAt === undefined ? (all[seq] ?? at) : at + Math.max(1, pace.ms);
        }
        for (const one of sentAt) {
          const within = sentAt.filter((other) => other > one - hourMs && other <= one);
          expect(within.length).toBeLessThanOrEqual(perHour);
        }
      }),
    );
  });
});
