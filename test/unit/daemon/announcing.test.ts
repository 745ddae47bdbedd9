import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HsdoError } from '../../../src/model/error.ts';
import { announcingStage, listOf as list, receiver } from '../../fixtures/announcing.ts';
import { createDice } from '../../fixtures/dice.ts';

const titles = ({ got }: ReturnType<typeof receiver>) => got.map(({ title }) => title);
const unavailable = (retryAfterMs?: number) => new HsdoError('unavailable', 'the receiver is away', { retryAfterMs });

describe('announcing and telling', () => {
  it('tells the next leader’s people what the one before did not live to tell, and nothing twice', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    stage.publish(list('web', 'up'));
    const first = await stage.lead('s1');
    await stage.pass(2000);
    await first.kill();
    stage.publish(list('web', 'down'));
    await stage.lead('s2');
    await stage.pass(2000);
    expect(titles(ops)).toEqual([
      'web: the service is up: 1 of 1 target up',
      'cluster: s1 leads',
      'web: the service is DOWN: no target is up; those that served last go on (and 1 more)',
      'cluster: s2 leads, after s1',
    ]);
    expect(new Set(ops.got.map(({ id }) => id)).size).toBe(ops.got.length);
  });

  it('has no word on a new service before its first verdict, unless that stays away', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    stage.publish(list('web', 'undecided'));
    stage.publish(list('db', 'undecided'));
    const leader = await stage.lead('s1');
    await stage.pass(5000);
    stage.publish(list('web', 'up'));
    await stage.pass(5000);
    expect(titles(ops)).toEqual(['cluster: s1 leads', 'web: the service is up: 1 of 1 target up']);
    await stage.pass(60_000, 1000);
    expect(titles(ops).slice(2)).toEqual(['db: the service is DOWN: none of its targets serves']);
    await leader.stop();
  });

  it('tells of an outage at once, also when nobody has judged the new targets', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    stage.publish(list('web', 'up'));
    const leader = await stage.lead('s1');
    await stage.pass(2000);
    stage.publish(list('web', 'undecided'));
    await stage.pass(2000);
    expect(titles(ops).at(-1)).toContain('web: the service is DOWN: none of its targets serves');
    await leader.stop();
  });

  it('sends twice only what was out and not recorded when the leader died, and loses nothing', async () => {
    const dice = createDice(Number(process.env['HSDO_SEED'] ?? randomInt(2 ** 31)));
    const seed = `HSDO_SEED=${dice.seed}`;
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    let leader: Awaited<ReturnType<typeof stage.lead>> | undefined;
    let died = 0;
    ops.before(() => {
      if (dice.isLucky(0.1)) throw unavailable();
    });
    ops.after(() => {
      if (!dice.isLucky(0.2)) return;
      died += 1;
      void leader?.kill();
      leader = undefined;
    });
    for (let n = 0; n < 60; n += 1) {
      leader ??= await stage.lead(`s${n}`);
      const current = leader;
      stage.publish(list(dice.pick(['web', 'db']), dice.pick(['up', 'down'] as const)));
      await stage.pass(100 + dice.below(2900));
      if (leader !== current || !dice.isLucky(0.1)) continue;
      await leader.kill();
      leader = undefined;
    }
    ops.before(() => {});
    ops.after(() => {});
    leader ??= await stage.lead('last');
    await stage.pass(70_000, 1000);
    const ids = ops.got.flatMap(({ events }) => events.map(({ id }) => id));
    const written = [...stage.engine.entries.values()].flatMap(({ key, value }) =>
      key.startsWith('event/') ? (JSON.parse(value) as { events: { id: string }[] }).events.map(({ id }) => id) : [],
    );
    expect(new Set(ids), seed).toEqual(new Set(written));
    const noticesOf = ops.got.map(({ id }) => id);
    expect(noticesOf.length - new Set(noticesOf).size, seed).toBe(died);
    for (const scope of ['web', 'db', 'cluster']) {
      const own = [...new Set(ids)].filter((id) => id.startsWith(`${scope}-`)).map((id) => Number(id.split('-')[1]));
      expect(own, seed).toEqual(own.toSorted((a, b) => a - b));
    }
    await leader.stop();
  }, 60_000);

  it('keeps a notice while its receiver is away, in order, and lets nobody else wait', async () => {
    const [ops, broken] = [receiver('ops'), receiver('broken')];
    broken.before(() => {
      throw unavailable();
    });
    const stage = announcingStage([{ receiver: broken }, { receiver: ops }]);
    stage.publish(list('web', 'up'));
    const leader = await stage.lead('s1');
    await stage.pass(2000);
    for (const health of ['down', 'up', 'down'] as const) {
      stage.publish(list('web', health));
      await stage.pass(1000);
    }
    expect(ops.got).toHaveLength(5);
    expect(leader.tellers[0]?.problems()).toMatchObject([{ part: 'notifier "broken"' }]);
    expect(leader.tellers[1]?.problems()).toEqual([]);
    broken.before(() => {});
    await stage.pass(61_000, 500);
    const told = broken.got.flatMap(({ events }) => events.map(({ id }) => id));
    const web = told.filter((id) => id.startsWith('web-'));
    expect(web).toEqual(['web-1-1', 'web-2-1', 'web-2-2', 'web-3-1', 'web-3-2', 'web-4-1', 'web-4-2']);
    expect(leader.tellers[0]?.problems()).toEqual([]);
    const counted = await leader.metrics.registry.getSingleMetricAsString('hsdo_notices_total');
    expect(counted).toMatch(/notifier="broken",outcome="unavailable"/);
    await leader.stop();
  }, 60_000);

  it('tries again when the receiver wants, and what is refused every minute', async () => {
    const ops = receiver('ops');
    const tries: number[] = [];
    const stage = announcingStage([{ receiver: ops }]);
    const start = stage.clock.monotonic();
    let error: unknown = unavailable(7000);
    ops.before(() => {
      tries.push(stage.clock.monotonic() - start);
      if (error !== undefined) throw error as Error;
    });
    stage.publish(list('web', 'up'));
    const leader = await stage.lead('s1');
    await stage.pass(8000);
    expect(tries).toHaveLength(2);
    expect((tries[1] ?? 0) - (tries[0] ?? 0)).toBeGreaterThanOrEqual(7000);
    error = new HsdoError('rejected', 'never');
    await stage.pass(10_000);
    const refused = tries.length;
    await stage.pass(50_000, 1000);
    expect(tries.length).toBe(refused);
    await stage.pass(15_000, 1000);
    expect(tries.length).toBeGreaterThan(refused);
    error = new TypeError('a bug of somebody else');
    await stage.pass(61_000, 1000);
    error = undefined;
    await stage.pass(122_000, 1000);
    expect(ops.got).toHaveLength(2);
    await leader.stop();
  }, 60_000);

  it('is not silenced by one notice that is refused: later news goes along, then alone', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    const offered: string[][] = [];
    ops.before(({ events }) => {
      offered.push(events.map(({ kind }) => kind));
      if (events.some(({ kind }) => kind === 'service-down')) throw new HsdoError('rejected', 'too long');
    });
    stage.publish(list('web', 'up'));
    const leader = await stage.lead('s1');
    await stage.pass(2000);
    const before = ops.got.length;
    stage.publish(list('web', 'down'));
    await stage.pass(2000);
    expect(offered.at(-1)).toContain('service-down');
    stage.publish(list('web', 'up'));
    await stage.pass(62_000, 1000);
    expect(offered.at(-1)).toEqual(expect.arrayContaining(['service-down', 'service-up']));
    expect(ops.got).toHaveLength(before);
    await stage.pass(130_000, 1000);
    expect(ops.got).toHaveLength(before + 1);
    expect(ops.got.at(-1)?.events.map(({ kind }) => kind)).toContain('service-up');
    expect(ops.got.at(-1)?.title).toMatch(/older announcements? (was|were) lost/);
    const tries = offered.length;
    stage.publish(list('db', 'up'));
    await stage.pass(5000, 1000);
    expect(offered.length).toBe(tries + 1);
    await leader.stop();
  }, 60_000);

  it('does not send again what is out while the store is away', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    stage.publish(list('web', 'up'));
    const leader = await stage.lead('s1');
    await stage.pass(2000);
    ops.after(() => leader.setAway(true));
    stage.publish(list('web', 'down'));
    await stage.pass(10_000, 500);
    expect(ops.got).toHaveLength(3);
    ops.after(() => {});
    leader.setAway(false);
    await stage.pass(30_000, 500);
    await leader.kill();
    const next = await stage.lead('s1');
    await stage.pass(5000);
    expect(ops.got).toHaveLength(3);
    await next.stop();
  });

  it('ends with a notice that is on its way recorded', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    stage.publish(list('web', 'up'));
    const first = await stage.lead('s1');
    await stage.pass(2000);
    let stopped: Promise<unknown> | undefined;
    ops.before(async () => {
      stopped ??= first.stop();
      for (let n = 0; n < 20; n += 1) await Promise.resolve();
    });
    stage.publish(list('web', 'down'));
    await stage.pass(2000);
    await stopped;
    ops.before(() => {});
    const next = await stage.lead('s1');
    await stage.pass(3000);
    expect(ops.got.map(({ id }) => id)).toEqual(['web-1', 'cluster-1', 'web-2']);
    await next.stop();
  });
});
