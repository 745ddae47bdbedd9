import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPostgresCheck, postgresSchema } from '../../src/check/postgres.ts';
import { runProbe } from '../../src/check/probing.ts';
import { onePrimary, type RoleCandidate } from '../../src/judge/role.ts';
import type { Probe } from '../../src/model/probe.ts';
import type { PrimaryHistory } from '../../src/model/snapshot.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { openPostgresWorld, type PostgresServer, type PostgresWorld, postgresPrograms } from '../fixtures/postgres.ts';
import { until } from '../fixtures/until.ts';

/** Asks all servers without pause and hands every new answer to the judge, as rounds of a leader would. */
function startWatching() {
  const own = new AbortController();
  const config = postgresSchema.parse({ kind: 'postgres', role: 'primary', user: 'checker', password: 'checker-pw' });
  const check = createPostgresCheck(config, { service: 'db', clock: systemClock });
  const seen = new Map<string, { probe: Probe; probes: number }>();
  const loops: Promise<unknown>[] = [];
  let history: PrimaryHistory = {};
  let kept: string | undefined;
  /** One entry per round: what is published, and what would be if nobody judged. */
  const rounds: { readonly published: readonly string[]; readonly unjudged: readonly string[] }[] = [];

  function round(): void {
    const candidates: RoleCandidate[] = [...seen].map(([id, { probe }]) => {
      const { role, timeline } = probe;
      return { id, isUp: probe.result === 'up', role, timeline, isCurrent: id === kept };
    });
    const unjudged = candidates.filter(({ isUp, role }) => isUp && role === 'primary').map(({ id }) => id);
    const choice = onePrimary(candidates, history);
    ({ history, kept } = choice);
    rounds.push({ published: unjudged.filter((id) => !choice.losers.has(id)), unjudged });
  }

  async function ask(id: string, { port }: PostgresServer): Promise<void> {
    const target = { id, name: id, address: '127.0.0.1', port, group: 'db' };
    for (let probes = 1; !own.signal.aborted; probes += 1) {
      const probe = await runProbe(check, target, { timeoutMs: 1000, retries: 0, clock: systemClock }, own.signal);
      seen.set(id, { probe, probes });
      round();
      await systemClock.sleep(5, own.signal);
    }
  }

  return {
    rounds,
    kept: () => kept,
    probeOf: (id: string) => seen.get(id)?.probe,
    add: (id: string, server: PostgresServer) => void loops.push(ask(id, server).catch(() => {})),
    /** Resolves when every target has answered this many times more. */
    async seeMore(probes: number) {
      const before = new Map([...seen].map(([id, { probes: count }]) => [id, count]));
      await until('everybody has answered', () =>
        [...seen].every(([id, { probes: count }]) => count >= (before.get(id) ?? 0) + probes),
      );
    },
    async stop() {
      own.abort(new Error('the test is over'));
      await Promise.all(loops);
    },
  };
}

describeWith(postgresPrograms, 'primaries that fail over and come back', () => {
  let world: PostgresWorld;
  let first: PostgresServer;

  beforeAll(async () => {
    world = await openPostgresWorld();
    first = await world.primary();
    await first.sql(`create role checker login password 'checker-pw'`);
  });
  afterAll(() => world.stop());

  it('are never two, and an old one is never published again', async () => {
    const watch = startWatching();
    watch.add('1', first);
    await until('the first primary is published', () => watch.kept() === '1');
    let primary = first;
    for (const generation of [2, 3, 4]) {
      const [id, before] = [String(generation), String(generation - 1)];
      const next = await world.replica(primary);
      watch.add(id, next);
      await until('the replica is asked', () => watch.probeOf(id)?.code === 'not-primary');
      expect(watch.kept()).toBe(before);
      // The last time the old primary lives on through the promotion: two primaries without a moment in between.
      if (generation < 4) await primary.kill();
      await next.promote();
      await until('the new primary is published', () => watch.kept() === id);
      if (generation < 4) await primary.start();
      await until('the old one is a second primary', () => watch.probeOf(before)?.role === 'primary');
      await watch.seeMore(10);
      expect(watch.kept()).toBe(id);

      await next.kill();
      await until('the new primary is down', () => watch.probeOf(id)?.result === 'down');
      await watch.seeMore(10);
      expect(watch.kept()).toBeUndefined();
      await next.start();
      await until('the new primary is published again', () => watch.kept() === id);
      primary = next;
    }
    await watch.stop();

    const published = watch.rounds.map((round) => round.published);
    expect(published.filter((ids) => ids.length > 1)).toEqual([]);
    const order = published.flat().filter((id, n, all) => id !== all[n - 1]);
    expect(order).toEqual(['1', '2', '3', '4']);
    // Without the judge there were two in many of these rounds, and an old one alone in others.
    expect(watch.rounds.filter(({ unjudged }) => unjudged.length > 1).length).toBeGreaterThan(50);
    expect(watch.rounds.filter(({ unjudged }) => unjudged.length > 0).length).toBeGreaterThan(published.flat().length);
  });
});
