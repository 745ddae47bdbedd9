import { describe, expect, it } from 'vitest';
import { createAgentVotes } from '../../../src/daemon/agents/agents-votes.ts';
import type { Ballot } from '../../../src/model/ballot.ts';
import type { Target } from '../../../src/model/target.ts';
import { reportAt, rosterOf, targetsNamed } from '../../fixtures/agent-desk.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const [a, b] = targetsNamed('ab') as [Target, Target];
const strict = { kind: 'tcp', rise: 1, fall: 1, holdDown: { seconds: 0 } };

/** One agent that reports on one service. */
function stage(fields: Readonly<Record<string, unknown>> = {}, former?: Ballot) {
  const clock = createFakeClock();
  const { roster, set } = rosterOf(clock, { check: strict, ...fields });
  const votes = createAgentVotes('one', new Map([['web', roster]]), former, clock);
  return {
    clock,
    set,
    votes,
    say: (target: Target, status: 'ok' | 'fail', ageMs = 0) =>
      votes.take(roster, target, reportAt(clock, roster, target, status, { aheadMs: -ageMs }), ageMs),
    /** What it votes, as `a up, b down`. */
    told() {
      votes.sweep();
      const service = votes.ballot().services.get('web');
      return service && [...service].map(([id, { health }]) => `${id} ${health}`).join(', ');
    },
  };
}

describe("an agent's reports", () => {
  it('turn its vote by the rise and fall of the check', () => {
    const { say, told } = stage({ check: { kind: 'tcp', rise: 2, fall: 2, holdDown: { seconds: 0 } } });
    expect([say(a, 'ok', 40), told()]).toEqual([{ isLate: false, isNews: true }, 'a up']);
    expect([say(a, 'fail', 30), told()]).toEqual([{ isLate: false, isNews: false }, 'a up']);
    expect([say(a, 'fail', 20), told()]).toEqual([{ isLate: false, isNews: true }, 'a down']);
    say(a, 'ok', 10);
    expect(told()).toBe('a down');
    say(a, 'ok');
    expect(told()).toBe('a up');
  });

  it('count as made when the agent looked, not when they came', async () => {
    const { say, votes, clock } = stage();
    say(a, 'ok', 25_000);
    expect(votes.ballot().services.get('web')?.get('a')?.sinceAt).toBe(clock.now() - 25_000);
    expect(votes.nextExpiryAt()).toBe(35_000);
    await clock.advance(35_000);
    votes.sweep();
    expect(votes.ballot().services.get('web')?.size ?? 0).toBe(0);
  });

  it('say nothing when they are older than one that was taken, the same once more, or too old to count', () => {
    const { say, told } = stage();
    say(a, 'ok', 1000);
    for (const ageMs of [5000, 1000, 59_999, 60_000]) {
      expect([say(a, 'fail', ageMs), told()]).toEqual([{ isLate: true, isNews: false }, 'a up']);
    }
    expect(say(b, 'ok', 60_000)).toEqual({ isLate: true, isNews: false });
  });

  it('are missing once they are too old, each for itself, and what comes after stands for itself', async () => {
    const { say, told, clock } = stage();
    say(a, 'ok');
    await clock.advance(30_000);
    say(b, 'ok');
    await clock.advance(30_000);
    expect(told()).toBe('b up');
    await clock.advance(10_000);
    say(a, 'fail');
    expect(told()).toBe('b up, a down');
  });

  it('let the agent leave when it is silent, or stay without votes, as the service says', async () => {
    const [going, staying] = [stage(), stage({ agents: { leave: 'decommission' } })];
    for (const { say, clock } of [going, staying]) {
      say(a, 'ok');
      await clock.advance(60_000);
    }
    expect([going.told(), going.votes.rosters(), going.votes.isHeard()]).toEqual([undefined, [], false]);
    expect([staying.told(), staying.votes.rosters().length, staying.votes.isHeard()]).toEqual(['', 1, false]);
  });

  it('are forgotten with their target, and with the address that it had', async () => {
    const { say, told, set, votes } = stage();
    say(a, 'ok');
    say(b, 'ok');
    set([{ ...a, address: '10.0.0.9' }, b]);
    expect([told(), votes.reports('web').length]).toEqual(['b up', 1]);
    set([]);
    expect([told(), votes.reports('web').length]).toEqual(['', 0]);
  });
});

describe('after a restart', () => {
  const vote = { health: 'up', code: 'ok', sinceAt: 1, about: '10.0.0.1|443' } as const;
  const former: Ballot = {
    observer: 'one',
    services: new Map([
      [
        'web',
        new Map([
          ['a', vote],
          ['b', { ...vote, about: '10.0.0.2|443' }],
          ['gone', vote],
        ]),
      ],
      ['unknown', new Map()],
    ]),
  };

  it('the former votes stand until they are told again, as long as reports count', async () => {
    const { told, say, clock } = stage({}, former);
    expect(told()).toBe('a up, b up');
    await clock.advance(50_000);
    say(a, 'ok');
    expect(told()).toBe('a up, b up');
    await clock.advance(10_000);
    expect(told()).toBe('a up');
  });

  it('one failure does not turn what needs two, and after the silence of one that was not heard it does not vouch', async () => {
    const check = { kind: 'tcp', rise: 2, fall: 2, holdDown: { seconds: 0 } };
    const quick = stage({ check }, former);
    quick.say(a, 'fail');
    expect(quick.told()).toBe('a up, b up');
    const late = stage({ check, agents: { leave: 'decommission' } }, former);
    await late.clock.advance(60_000);
    late.say(a, 'fail');
    expect(late.told()).toBe('');
  });
});
