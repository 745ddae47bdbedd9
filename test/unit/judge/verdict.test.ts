import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Count, type Earlier, neededVotes, tally, tallyService } from '../../../src/judge/verdict.ts';
import type { Observer, Vote } from '../../../src/model/ballot.ts';
import type { ProbeCode } from '../../../src/model/probe.ts';
import type { Policy, VoteRules } from '../../../src/model/verdict.ts';
import { targets } from '../../fixtures/lists.ts';

const voteRules = (fields: Partial<VoteRules> = {}): VoteRules => ({
  policy: 'quorum',
  electorate: 'registered',
  missing: 'undecided',
  ...fields,
});
const up: Earlier = { health: 'up', code: 'ok' };
const down: Earlier = { health: 'down', code: 'refused' };
const count = (yes: number, no: number, code: ProbeCode = 'timeout'): Count => ({
  yes,
  no,
  codes: Array.from({ length: no }, () => code),
});

describe('a verdict', () => {
  it.each<[Policy, number, number, number, string]>([
    ['any', 3, 1, 0, 'up'],
    ['any', 3, 0, 2, 'kept'],
    ['any', 3, 0, 3, 'down'],
    ['quorum', 3, 2, 1, 'up'],
    ['quorum', 3, 1, 1, 'kept'],
    ['quorum', 3, 1, 2, 'down'],
    ['quorum', 5, 2, 2, 'kept'],
    ['quorum', 5, 0, 3, 'down'],
    ['all', 3, 3, 0, 'up'],
    ['all', 3, 2, 0, 'kept'],
    ['all', 3, 2, 1, 'down'],
    [2, 5, 2, 3, 'up'],
    [2, 5, 1, 3, 'kept'],
    [2, 5, 1, 4, 'down'],
    [9, 2, 2, 0, 'up'],
    [9, 2, 1, 1, 'down'],
  ])('by policy %s of %i observers with %i yes and %i no is %s', (policy, n, yes, no, expected) => {
    for (const earlier of [up, down]) {
      const { health, isKept } = tally(count(yes, no), n, n, voteRules({ policy }), earlier);
      expect(isKept ? 'kept' : health).toBe(expected);
      if (isKept) expect(health).toBe(earlier.health);
    }
  });

  it('is undecided only where there never was a decision', () => {
    const never = tally(count(0, 1), 3, 3, voteRules(), undefined);
    expect(never).toMatchObject({ health: 'undecided', isKept: false, isInDoubt: true, code: 'ok' });
    expect(tally(count(0, 1), 3, 3, voteRules(), { health: 'undecided', code: 'ok' })).toEqual(never);
    expect(tally(count(0, 0), 0, 0, voteRules(), undefined).health).toBe('undecided');
  });

  it('is not turned by one observer of three that lies, or two of five that are cut off', () => {
    expect(tally(count(2, 1), 3, 3, voteRules(), up)).toMatchObject({ health: 'up', isInDoubt: true });
    expect(tally(count(1, 2), 3, 3, voteRules(), down)).toMatchObject({ health: 'down', isInDoubt: true });
    expect(tally(count(3, 2), 5, 5, voteRules(), up).health).toBe('up');
    expect(tally(count(3, 0), 5, 3, voteRules(), up).health).toBe('up');
  });

  it('takes nothing away while a majority is silent, not even where silence is a no', () => {
    for (const missing of ['undecided', 'down'] as const) {
      const rules = voteRules({ missing });
      expect(tally(count(0, 1), 2, 1, rules, up)).toMatchObject({ health: 'up', isKept: true, isInDoubt: true });
      expect(tally(count(0, 2), 4, 2, rules, up)).toMatchObject({ health: 'up', isKept: true });
      expect(tally(count(0, 0), 3, 0, rules, up)).toMatchObject({ health: 'up', isKept: true });
      expect(tally(count(0, 3), 4, 3, rules, up)).toMatchObject({ health: 'down', isKept: false });
    }
  });

  it('lets those alive decide where the electorate is live, so that two nodes survive one', () => {
    const rules = voteRules({ electorate: 'live' });
    expect(tally(count(0, 1), 2, 1, rules, up)).toMatchObject({ health: 'down', missing: 0, need: 1 });
    expect(tally(count(1, 0), 5, 1, rules, down)).toMatchObject({ health: 'up', isInDoubt: false });
  });

  it('counts silence as no where the rules say so, once there was a decision', () => {
    const rules = voteRules({ policy: 'any', missing: 'down' });
    expect(tally(count(0, 0), 2, 0, rules, up)).toMatchObject({ health: 'down', code: 'error', isInDoubt: true });
    expect(tally(count(0, 1), 2, 1, rules, up)).toMatchObject({ health: 'down', code: 'timeout', missing: 1 });
    expect(tally(count(1, 1), 3, 2, voteRules({ missing: 'down' }), up).health).toBe('down');
    expect(tally(count(0, 1), 2, 1, rules, { health: 'undecided', code: 'ok' }).health).toBe('undecided');
    expect(tally(count(0, 2), 2, 2, rules, undefined).health).toBe('down');
  });

  it('is in doubt while votes contradict each other or missing ones could turn it, and not otherwise', () => {
    const isInDoubt = (yes: number, no: number, n: number) => tally(count(yes, no), n, n, voteRules(), up).isInDoubt;
    expect([isInDoubt(3, 0, 3), isInDoubt(2, 0, 3), isInDoubt(0, 3, 3), isInDoubt(0, 2, 3)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([isInDoubt(2, 1, 3), isInDoubt(1, 0, 3), isInDoubt(0, 0, 3), isInDoubt(0, 0, 0)]).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  it('names the code that most observers have, whatever their order', () => {
    const codes: readonly ProbeCode[] = ['refused', 'status', 'timeout', 'status', 'refused'];
    const say = (list: readonly ProbeCode[]) => tally({ yes: 0, no: 5, codes: list }, 5, 5, voteRules(), up).code;
    expect(say(codes)).toBe('refused');
    expect(say([...codes].reverse())).toBe('refused');
    expect(say(['tls', 'status', 'status', 'tls', 'status'])).toBe('status');
    expect(tally(count(0, 0), 3, 0, voteRules(), down)).toMatchObject({ health: 'down', code: 'refused' });
  });
});

describe('every tally', () => {
  const policy = fc.oneof(fc.constantFrom<Policy>('any', 'quorum', 'all'), fc.integer({ min: 1, max: 8 }));
  const rules = fc.record<VoteRules>({
    policy,
    electorate: fc.constantFrom('registered', 'live'),
    missing: fc.constantFrom('undecided', 'down'),
  });
  const votes = fc.array(fc.constantFrom('yes', 'no', 'silent', 'gone'), { maxLength: 7 });
  const earlier = fc.constantFrom(undefined, up, down);

  /** Fills in every silence in both ways and looks at what comes out: slow, but it says what the words mean. */
  function outcomes(known: readonly boolean[], silent: number, need: number): ReadonlySet<boolean> {
    if (silent === 0) return new Set([known.filter(Boolean).length >= need]);
    return new Set([true, false].flatMap((vote) => [...outcomes([...known, vote], silent - 1, need)]));
  }

  function slowly(cast: readonly string[], { policy: wanted, electorate, missing }: VoteRules, before?: Earlier) {
    const voters = cast.filter((vote) => electorate === 'registered' || vote !== 'gone');
    const said = voters.filter((vote) => vote === 'yes' || vote === 'no').map((vote) => vote === 'yes');
    const silent = voters.length - said.length;
    const majority = voters.findIndex((_, n) => 2 * (n + 1) > voters.length) + 1;
    const need =
      typeof wanted === 'number'
        ? Math.min(wanted, voters.length)
        : { any: 1, all: voters.length, quorum: majority }[wanted];
    const kept = before?.health ?? 'undecided';
    if (voters.length === 0) return kept;
    const isNo = missing === 'down' && before !== undefined;
    const possible = isNo ? new Set([said.filter(Boolean).length >= need]) : outcomes(said, silent, need);
    if (possible.size === 2) return kept;
    if (possible.has(true)) return 'up';
    return wanted === 'quorum' && said.length * 2 <= voters.length ? kept : 'down';
  }

  it('equals the one that tries out what every missing vote could be', () => {
    fc.assert(
      fc.property(votes, rules, earlier, (cast, how, before) => {
        const [yes, no, gone] = ['yes', 'no', 'gone'].map((vote) => cast.filter((one) => one === vote).length);
        const counted = count(yes ?? 0, no ?? 0);
        const { health } = tally(counted, cast.length, cast.length - (gone ?? 0), how, before);
        expect(health).toBe(slowly(cast, how, before));
      }),
      { numRuns: 2000 },
    );
  });

  it('never asks for more votes than there are voters, nor for none', () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 50 }), (wanted, n) => {
        expect(neededVotes(wanted, n)).toBeGreaterThanOrEqual(1);
        expect(neededVotes(wanted, n)).toBeLessThanOrEqual(n);
      }),
    );
  });
});

describe('the verdicts of a service', () => {
  const vote = (health: 'up' | 'down', fields: Partial<Vote> = {}): Vote => ({
    health,
    code: health === 'up' ? 'ok' : 'timeout',
    sinceAt: 0,
    ...fields,
  });
  const observer = (id: string, votes: Readonly<Record<string, Vote>>, fields: Partial<Observer> = {}): Observer => ({
    id,
    isFresh: true,
    services: ['web'],
    ballot: { observer: id, services: new Map([['web', new Map(Object.entries(votes))]]) },
    ...fields,
  });
  const verdictsOf = (observers: readonly Observer[], fields: Partial<VoteRules> = {}) =>
    tallyService(observers, 'web', targets('t1', 't2'), voteRules(fields), new Map([['t1', up]]));

  it('cover every target of the service, voted on or not', () => {
    const verdicts = verdictsOf([observer('a', { t1: vote('down'), t9: vote('up') })]);
    expect([...verdicts.keys()]).toEqual(['t1', 't2']);
    expect(verdicts.get('t1')).toMatchObject({ health: 'down', yes: 0, no: 1, missing: 0, need: 1 });
    expect(verdicts.get('t2')).toMatchObject({ health: 'undecided', missing: 1 });
  });

  it('leave out the votes of observers that are stale or abstain, but not their seats', () => {
    const no = { t1: vote('down'), t2: vote('down') };
    const observers = [
      observer('a', { t1: vote('up') }),
      observer('b', no, { isFresh: false }),
      observer('c', no, { abstains: 'its own way out is down' }),
    ];
    expect(verdictsOf(observers).get('t1')).toMatchObject({ health: 'up', isKept: true, yes: 1, no: 0, missing: 2 });
    expect(verdictsOf(observers, { electorate: 'live' }).get('t1')).toMatchObject({ health: 'up', missing: 0 });
  });

  it('leave out votes about an address that the target no longer has, or does not have yet', () => {
    const [here, elsewhere] = ['10.0.0.1', '10.0.0.1|81'];
    const late = observer('b', { t1: vote('down', { about: elsewhere, role: 'primary' }) });
    const verdict = verdictsOf([observer('a', { t1: vote('up', { about: here }) }), late]).get('t1');
    expect(verdict).toMatchObject({ health: 'up', isKept: true, yes: 1, no: 0, missing: 1 });
    expect(verdict).not.toHaveProperty('role');
    const untold = verdictsOf([observer('a', { t1: vote('down') })]).get('t1');
    expect(untold).toMatchObject({ health: 'down', no: 1 });
  });

  it('ask nobody who does not watch the service', () => {
    const elsewhere = observer('b', { t1: vote('down') }, { services: ['mail'] });
    expect(verdictsOf([observer('a', { t1: vote('up') }), elsewhere]).get('t1')).toMatchObject({ need: 1, yes: 1 });
  });

  it('tell of a primary as soon as one observer sees one, with the highest timeline told for it', () => {
    const verdicts = verdictsOf([
      observer('a', { t1: vote('up', { role: 'replica', timeline: 9 }), t2: vote('up', { role: 'replica' }) }),
      observer('b', { t1: vote('up', { role: 'primary', timeline: 3 }), t2: vote('down', { role: 'primary' }) }),
      observer('c', { t1: vote('up', { role: 'primary', timeline: 4 }), t2: vote('up') }),
    ]);
    expect(verdicts.get('t1')).toMatchObject({ role: 'primary', timeline: 4 });
    expect(verdicts.get('t2')).toMatchObject({ health: 'up', role: 'primary' });
    expect(verdicts.get('t2')).not.toHaveProperty('timeline');
  });

  it('tell of a primary that is not up yet, but not of what an observer says that is stale or abstains', () => {
    const rising = { t1: vote('down', { code: 'not-primary', role: 'primary', timeline: 7 }) };
    expect(verdictsOf([observer('a', rising)]).get('t1')).toMatchObject({
      health: 'down',
      role: 'primary',
      timeline: 7,
    });
    for (const away of [{ isFresh: false }, { abstains: 'its own way out is down' }]) {
      expect(verdictsOf([observer('a', rising, away)]).get('t1')).not.toHaveProperty('role');
    }
  });

  it('carry the median of the times that those who say up have measured', () => {
    const timed = (totalMs: number) => ({ t1: vote('up', { totalMs, connectMs: 1 }) });
    const slow = observer('d', { t1: vote('down', { totalMs: 1 }) });
    expect(
      verdictsOf([observer('a', timed(9)), observer('b', timed(900)), observer('c', timed(11)), slow]).get('t1'),
    ).toMatchObject({ health: 'up', totalMs: 11, connectMs: 1 });
  });
});
