import { describe, expect, it } from 'vitest';
import { HsdoError } from '../../../src/model/error.ts';
import { createBallotReader } from '../../../src/publish/ballot-reader.ts';
import { createBallotWriter } from '../../../src/publish/ballot-writer.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import type { Change, Store } from '../../../src/store/store.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { ballot, largeBallot, vote, withVote } from '../../fixtures/votes.ts';

const never = new AbortController().signal;
const web = { services: ['web'] };
const ttlMs = 30_000;

/** A store that notes what was written and read, and fails when told. */
function openStage() {
  const inner = openMemoryStore(createMemoryEngine());
  const commits: (readonly Change[])[] = [];
  const reads: string[] = [];
  let failure: 'before' | 'after' | undefined;
  const store: Store = {
    ...inner,
    get(key, signal) {
      reads.push(key);
      return inner.get(key, signal);
    },
    list(prefix, signal) {
      reads.push(prefix);
      return inner.list(prefix, signal);
    },
    async commit(changes, signal) {
      const fails = failure;
      failure = undefined;
      if (fails === 'before') throw new HsdoError('unavailable', 'away');
      const versions = await inner.commit(changes, signal);
      if (fails === 'after') throw new HsdoError('unavailable', 'the answer was lost');
      commits.push(changes);
      return versions;
    },
  };
  const clock = createFakeClock();
  const open = () => createBallotWriter({ store, observer: 'one', isTransient: false, ttlMs, clock });
  const writes = () =>
    commits.splice(0).map((changes) =>
      changes
        .filter(({ op }) => op === 'put')
        .map(({ key }) => key)
        .join(' '),
    );
  const reader = createBallotReader({ store: inner, clock });
  const found = async () => (await reader.read(never))[0]?.ballot;
  return { clock, open, writes, reads, found, reader, store, fail: (how: 'before' | 'after') => (failure = how) };
}

describe('what an observer writes', () => {
  it('is its votes and its heartbeat in one commit, then nothing while nothing differs and no heartbeat is due', async () => {
    const { open, writes, clock } = openStage();
    const one = open();
    const says = (health: 'up' | 'down') => one.cast(ballot('one', { web: { a: health } }), web, never);
    expect(await says('up')).toBe(true);
    expect(writes()).toEqual(['observer/one ballot/one/00']);
    expect([await says('up'), writes()]).toEqual([false, []]);
    await clock.advance(ttlMs / 3 - 1);
    expect([await says('up'), writes()]).toEqual([false, []]);
    await clock.advance(1);
    expect([await says('up'), writes()]).toEqual([false, ['observer/one']]);
    await one.beat(never);
    expect(writes()).toEqual(['observer/one']);
    expect([await says('down'), writes()]).toEqual([true, ['observer/one ballot/one/00']]);
    await one.cast(ballot('one', { web: { a: 'down' } }), { ...web, abstains: 'no way out' }, never);
    expect(writes()).toEqual(['observer/one']);
  });

  it('is a measured time alone only every thirty seconds, and then all of them', async () => {
    const { open, writes, clock, found } = openStage();
    const one = open();
    const says = (totalMs: number, other: 'up' | 'down' = 'up') =>
      one.cast(ballot('one', { web: { a: vote('up', { totalMs }), b: other } }), web, never);
    const told = async () => (await found())?.services.get('web')?.get('a')?.totalMs;
    await says(5);
    expect([await says(50), await told()]).toEqual([false, 5]);
    await clock.advance(29_999);
    expect(await says(50)).toBe(false);
    writes();
    await clock.advance(1);
    expect([await says(50), await told()]).toEqual([true, 50]);
    expect(writes()).toEqual(['observer/one ballot/one/00']);
    // With a vote that counts they go at once.
    expect([await says(70, 'down'), await told()]).toEqual([true, 70]);
  });

  it('is only the parts that differ, also when the caller goes on using its own maps', async () => {
    const { open, writes, found } = openStage();
    const one = open();
    const large = largeBallot('one', 5000);
    const votes = new Map(large.services.get('web'));
    const said = { observer: 'one', services: new Map([['web', votes]]) };
    await one.cast(said, web, never);
    expect(writes()[0]?.split(' ')).toHaveLength(33);
    votes.set('new', vote('down'));
    await one.cast(said, web, never);
    expect(writes()[0]).toMatch(/^observer\/one ballot\/one\/\d\d$/);
    expect(await found()).toEqual(withVote(large, 'new', vote('down')));
    for (const id of [...votes.keys()].slice(10)) votes.delete(id);
    await one.cast(said, web, never);
    expect((await found())?.services.get('web')).toEqual(votes);
  });

  it('leaves no part of a larger ballot of a former life behind', async () => {
    const { open, store, found } = openStage();
    await open().cast(largeBallot('one', 5000), web, never);
    await open().cast(ballot('one', { web: { a: 'up' } }), web, never);
    expect((await store.list('ballot/', never)).map(({ key }) => key)).toEqual(['ballot/one/00']);
    expect(await found()).toEqual(ballot('one', { web: { a: 'up' } }));
  });

  it('is made good when the store was away, or when nobody knows whether it got there', async () => {
    for (const how of ['before', 'after'] as const) {
      const { open, found, fail, reader } = openStage();
      const one = open();
      await one.cast(largeBallot('one', 700), web, never);
      await found();
      const next = withVote(largeBallot('one', 700), 'new', vote('down'));
      fail(how);
      await expect(one.cast(next, web, never)).rejects.toMatchObject({ code: 'unavailable' });
      await one.beat(never);
      expect(await found()).toEqual(next);
      expect(reader.unreadable()).toEqual([]);
    }
  });

  it('names the fault when two processes have one id, and each call afterwards is heard', async () => {
    const { open, found } = openStage();
    const [one, two] = [open(), open()];
    await one.cast(ballot('one', { web: { a: 'up' } }), web, never);
    await two.cast(ballot('one', { web: { a: 'down' } }), web, never);
    await expect(one.beat(never)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('"one": another process does so too'),
    });
    await one.beat(never);
    expect(await found()).toEqual(ballot('one', { web: { a: 'up' } }));
  });

  it('comes in the order of the calls, however many run at once', async () => {
    const { open, found } = openStage();
    const one = open();
    const says = Array.from({ length: 20 }, (_, n) =>
      one.cast(ballot('one', { web: { a: vote('up', { sinceAt: n }) } }), web, never),
    );
    await Promise.all([...says, one.beat(never)]);
    expect((await found())?.services.get('web')?.get('a')?.sinceAt).toBe(19);
  });

  it('is read in an idle round as one list of small records and nothing else', async () => {
    const { open, store, reads, clock } = openStage();
    const one = open();
    const reader = createBallotReader({ store, clock });
    await one.cast(largeBallot('one', 5000), web, never);
    await reader.read(never);
    reads.splice(0);
    await one.beat(never);
    await reader.read(never);
    expect(reads).toEqual(['observer/']);
    await one.cast(withVote(largeBallot('one', 5000), 'new', vote('down')), web, never);
    await reader.read(never);
    expect(reads).toEqual(['observer/', 'observer/', expect.stringMatching(/^ballot\/one\/\d\d$/)]);
    expect((await store.get('observer/one', never))?.value.length).toBeLessThan(400);
  });
});
