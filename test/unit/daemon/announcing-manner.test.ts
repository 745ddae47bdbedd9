import { describe, expect, it } from 'vitest';
import { announcingStage, listOf as list, receiver } from '../../fixtures/announcing.ts';

const titles = ({ got }: ReturnType<typeof receiver>) => got.map(({ title }) => title);

describe('what a notifier is told', () => {
  it('tells one that is new nothing of the past, and each only what it wants to hear', async () => {
    const [ops, late, downs] = [receiver('ops'), receiver('late'), receiver('downs')];
    const before = { receiver: downs, kinds: ['service-down'], services: ['web'] } as const;
    const stage = announcingStage([{ receiver: ops }, before]);
    for (const name of ['web', 'db']) stage.publish(list(name, 'up'));
    const first = await stage.lead('s1');
    await stage.pass(2000);
    await first.kill();
    const second = await stage.lead('s1', [{ receiver: ops }, before, { receiver: late }]);
    await stage.pass(2000);
    for (const name of ['web', 'db']) stage.publish(list(name, 'down'));
    await stage.pass(2000);
    expect(ops.got).toHaveLength(5);
    expect(late.got.map(({ id }) => id)).toEqual(['web-2', 'db-2']);
    expect(downs.got.map(({ id, events }) => [id, events.length])).toEqual([['web-2', 1]]);
    await second.stop();
  });

  it('groups, limits, resolves and reminds, over a change of leader, too', async () => {
    const ops = receiver('ops');
    const manner = { groupMs: 5000, perHour: 4, remindMs: 600_000, maxReminders: 1 };
    const stage = announcingStage([{ receiver: ops, manner, kinds: ['service-up', 'service-down'] }]);
    stage.publish(list('web', 'up'));
    let leader = await stage.lead('s1');
    await stage.pass(7000, 500);
    for (const health of ['down', 'up', 'down'] as const) {
      stage.publish(list('web', health));
      await stage.pass(1000, 500);
    }
    await stage.pass(6000, 500);
    expect(ops.got.map(({ id, state, events }) => [id, state, events.length])).toEqual([
      ['web-1', 'info', 1],
      ['web-2-4', 'alert', 3],
    ]);
    await stage.pass(610_000, 10_000);
    await leader.kill();
    leader = await stage.lead('s2');
    await stage.pass(700_000, 20_000);
    expect(ops.got.slice(2).map(({ state }) => state)).toEqual(['reminder']);
    stage.publish(list('web', 'up'));
    await stage.pass(7000, 500);
    expect(ops.got.at(-1)).toMatchObject({ state: 'resolved', id: 'web-5' });
    for (const health of ['down', 'up', 'down', 'up'] as const) {
      stage.publish(list('web', health));
      await stage.pass(20_000, 2000);
    }
    expect(ops.got).toHaveLength(4);
    await leader.kill();
    leader = await stage.lead('s3');
    await stage.pass(3_600_000, 60_000);
    expect(ops.got.at(-1)).toMatchObject({ id: 'web-6-9', state: 'resolved' });
    expect(ops.got).toHaveLength(5);
    await leader.stop();
  }, 60_000);

  it('says of a rolling restart who leads and nothing else', async () => {
    const ops = receiver('ops');
    const stage = announcingStage([{ receiver: ops }]);
    for (const name of ['web', 'db']) stage.publish(list(name, 'up'));
    let leader = await stage.lead('s1');
    await stage.pass(2000);
    for (const next of ['s2', 's3', 's1']) {
      await leader.stop();
      leader = await stage.lead(next);
      for (const name of ['web', 'db']) stage.publish(list(name, 'up'));
      await stage.pass(2000);
    }
    expect(titles(ops).slice(3)).toEqual([
      'cluster: s2 leads, after s1',
      'cluster: s3 leads, after s2',
      'cluster: s1 leads, after s3',
    ]);
    await leader.stop();
  });
});
