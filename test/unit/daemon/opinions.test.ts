import { describe, expect, it } from 'vitest';
import { createOpinions } from '../../../src/daemon/observing/opinions.ts';
import { createBallotWriter } from '../../../src/publish/ballot-writer.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { healthRules, probeOf } from '../../fixtures/checks.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { target } from '../../fixtures/lists.ts';

const never = new AbortController().signal;
const rules = healthRules();
const [one, other] = [target('i-1'), target('i-2')];

/** An observer of service `web`, with probes that come as signs: see `probeOf`. */
function observer(clock = createFakeClock()) {
  const opinions = createOpinions(clock);
  opinions.watch('web', [one, other], rules);
  return {
    clock,
    opinions,
    /** Takes the probes in and says for each whether the vote became another one. */
    probe: (signs: string, of = one) => Array.from(signs).map((sign) => opinions.note('web', of, probeOf(sign))),
    vote: (id = one.id) => opinions.ballot('s1').services.get('web')?.get(id),
  };
}

describe('opinions', () => {
  it('become votes with the first probe that tells something, and are news only when they turn', () => {
    const { probe, vote, opinions } = observer();
    expect(opinions.ballot('s1').services.get('web')).toEqual(new Map());
    expect(probe('?')).toEqual([false]);
    expect(probe('++-+')).toEqual([true, false, false, false]);
    expect(probe('--')).toEqual([false, true]);
    expect(vote()).toMatchObject({ health: 'down', code: 'timeout' });
    expect(vote(other.id)).toBeUndefined();
  });

  it('are dropped when the target moves to another address or port, and stay when only its name differs', async () => {
    const { probe, vote, opinions } = observer();
    probe('+');
    opinions.watch('web', [{ ...one, name: 'renamed' }], rules);
    expect(vote()).toMatchObject({ health: 'up' });
    for (const moved of [
      { ...one, address: '10.9.9.9' },
      { ...one, address: '10.9.9.9', port: 81 },
    ]) {
      opinions.watch('web', [moved], rules);
      expect(vote()).toBeUndefined();
      // An answer that was under way says nothing about the new place.
      expect([probe('-'), vote()]).toEqual([[false], undefined]);
      expect(probe('+', moved)).toEqual([true]);
    }
  });

  it('are dropped with the target, and begin anew when it returns', () => {
    const { probe, vote, opinions } = observer();
    probe('+-');
    opinions.watch('web', [other], rules);
    expect([vote(), probe('+')]).toEqual([undefined, [false]]);
    opinions.watch('web', [one, other], rules);
    probe('-');
    expect(vote()).toBeUndefined();
  });

  it('count what became of every probe, also before there is a vote', () => {
    const { probe, opinions } = observer();
    probe('?-+!');
    expect(opinions.of('web')[0]?.statistics).toMatchObject({ successes: 1, timeouts: 1, responseErrors: 1 });
    expect(opinions.of('web')[0]?.statistics).toMatchObject({ otherErrors: 1 });
    expect(opinions.of('mail')).toEqual([]);
  });
});

describe('opinions after a restart', () => {
  /** What a process leaves in the store after these probes, read by the next one a minute later, with the target there. */
  async function restarted(signs: string, there = one) {
    const store = openMemoryStore(createMemoryEngine());
    const first = observer();
    first.probe(signs);
    const { clock } = first;
    const writer = () => createBallotWriter({ store, observer: 's1', isTransient: false, ttlMs: 15_000, clock });
    await writer().cast(first.opinions.ballot('s1'), { services: ['web'] }, never);
    await clock.advance(60_000);
    const former = await writer().former(never);
    const fresh = createOpinions(clock);
    if (former) fresh.restore(former);
    fresh.watch('web', [there, other], rules);
    return {
      before: first.vote(),
      vote: () => fresh.ballot('s1').services.get('web')?.get(one.id),
      probe: (more: string) => Array.from(more).map((sign) => fresh.note('web', there, probeOf(sign))),
    };
  }

  it('are not told before the target was asked, and then with the beginning that they had', async () => {
    const { before, vote, probe } = await restarted('+');
    expect(vote()).toBeUndefined();
    expect([probe('?'), vote()]).toEqual([[false], undefined]);
    expect(probe('+')).toEqual([true]);
    expect(vote()).toEqual(before);
  });

  it('are not turned by a single lost packet, but by as many as always', async () => {
    const { before, vote, probe } = await restarted('+');
    probe('-');
    expect(vote()).toEqual(before);
    probe('-');
    expect(vote()).toMatchObject({ health: 'down', code: 'timeout' });
    const sick = await restarted('--');
    sick.probe('+');
    expect(sick.vote()).toMatchObject({ health: 'down' });
    sick.probe('+');
    expect(sick.vote()).toMatchObject({ health: 'up' });
  });

  it('are none about a target that moved meanwhile', async () => {
    const { vote, probe } = await restarted('+', { ...one, address: '10.9.9.9' });
    expect([probe('-'), vote()]).toEqual([[false], undefined]);
    expect([probe('-'), vote()]).toMatchObject([[true], { health: 'down', about: '10.9.9.9' }]);
  });
});
