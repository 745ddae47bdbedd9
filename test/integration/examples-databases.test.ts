import { expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type RunningExample, startExample } from '../fixtures/examples.ts';
import { openPostgresWorld, postgresPrograms } from '../fixtures/postgres.ts';
import { redisPassword, sentinelPassword, startRedisCluster } from '../fixtures/redis.ts';
import { until } from '../fixtures/until.ts';

describeWith(postgresPrograms, 'the example postgres-primary, run as it stands', () => {
  it('serves the primary alone, the new one after a promotion, and never the old one again', async () => {
    const world = await openPostgresWorld();
    let example: RunningExample | undefined;
    try {
      const first = await world.primary();
      await first.sql(`create role checker login password 'pw-of-checker'`);
      const second = await world.replica(first);
      example = await startExample('postgres-primary', {
        env: { CHECKER_PASSWORD: 'pw-of-checker' },
        replacements: {
          'address: 10.0.0.51, port: 5432': `address: 127.0.0.1, port: ${first.port}`,
          'address: 10.0.0.52, port: 5432': `address: 127.0.0.1, port: ${second.port}`,
          'intervalSeconds: 2': 'intervalSeconds: 0.2',
        },
      });
      const { shows, told } = example;
      await shows('the primary serves', { 'db-1': 'up, serves', 'db-2': 'not-primary' });
      await first.kill();
      // A replica is not served in the place of the primary, not even in a panic.
      await shows('nobody else takes its place', { 'db-1': 'refused, serves', 'db-2': 'not-primary' });
      await second.promote();
      await shows('the new primary serves', { 'db-1': 'refused', 'db-2': 'up, serves' });
      await first.start();
      const after = { 'db-1': 'second-primary', 'db-2': 'up, serves' };
      await shows('the old primary stays out', after);
      expect(await told()).toEqual(after);
      expect(example.hsdo.log()).not.toContain('pw-of-checker');
    } finally {
      await example?.remove();
      await world.stop();
    }
  });
});

describeWith(['redis-server', 'redis-sentinel'], 'the example redis-sentinel, run as it stands', () => {
  it('finds the master without a list of targets, and the next one when that dies', async () => {
    const redis = await startRedisCluster();
    let example: RunningExample | undefined;
    try {
      const [one, two, three] = redis.sentinels.map(({ port }) => `host: 127.0.0.1, port: ${port}`);
      example = await startExample('redis-sentinel', {
        env: { REDIS_PASSWORD: redisPassword, SENTINEL_PASSWORD: sentinelPassword },
        replacements: {
          'host: 10.10.10.1, port: 26379': one ?? '',
          'host: 10.10.10.2, port: 26379': two ?? '',
          'host: 10.10.10.3, port: 26379': three ?? '',
        },
      });
      const { shows, told, detail } = example;
      const served = { mymaster: 'up, serves' };
      const [master] = redis.redises;
      const { targets } = await shows('the master serves', served);
      expect(targets).toMatchObject([{ address: '127.0.0.1', port: master?.port, slot: 1 }]);

      await master?.kill();
      const isMoved = async () => (await detail()).targets.some(({ port }) => port !== master?.port);
      await until('another Redis is the target', isMoved, { timeoutMs: 30_000 });
      const { targets: moved } = await shows('the new master serves', served);
      const chosen = redis.redises.find(({ port }) => port === moved[0]?.port);
      expect(await chosen?.say('ROLE')).toContain('master');
      expect(moved[0]?.slot).toBe(1);
      expect(await told()).toEqual(served);
    } finally {
      await example?.remove();
      await redis.stop();
    }
  });
});
