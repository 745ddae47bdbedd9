import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFileSource } from '../fixtures/changing-source.ts';
import { describeWith } from '../fixtures/component.ts';
import { openPostgresWorld, type PostgresServer, type PostgresWorld, postgresPrograms } from '../fixtures/postgres.ts';
import { orderOf, type RoleStage, startRoleStage, twoAtOnce } from '../fixtures/roles.ts';
import { until } from '../fixtures/until.ts';

const check = {
  kind: 'postgres',
  role: 'primary',
  user: 'checker',
  password: 'checker-pw',
  intervalSeconds: 0.2,
  timeoutSeconds: 2,
  holdDown: { seconds: 0 },
};

describeWith(['haproxy', ...postgresPrograms], 'PostgreSQL behind the whole of hsdo', () => {
  let world: PostgresWorld;
  let source: Awaited<ReturnType<typeof startFileSource>>;
  let stage: RoleStage;
  let first: PostgresServer;
  let second: PostgresServer;
  let third: PostgresServer;
  /** Names them db-1, db-2 and so on. */
  const setTargets = (...servers: readonly PostgresServer[]) =>
    source.write(JSON.stringify(servers.map(({ port }, n) => ({ name: `db-${n + 1}`, address: '127.0.0.1', port }))));
  /** Both servers of hsdo see a primary here, and the list refuses it. */
  const isRefused = (name: string) =>
    until(`${name} is a second primary`, async () => {
      const target = (await stage.detail()).targets.find((one) => one.name === name);
      const seen = target?.votes.filter(({ health, role }) => health === 'up' && role === 'primary');
      return target?.health?.code === 'second-primary' && seen?.length === 2;
    });
  const served = async (since: number, port: number) => {
    const [published, delivered] = [await stage.publishes(port), await stage.delivers(port)];
    const [inList, inHaproxy] = [published, delivered].map((at) => Math.round(at - since));
    console.log(`published ${inList} ms after it was told to promote, in HAProxy after ${inHaproxy} ms`);
  };

  beforeAll(async () => {
    [world, source] = [await openPostgresWorld(), await startFileSource()];
    first = await world.primary();
    await first.sql(`create role checker login password 'checker-pw'`);
    second = await world.replica(first);
    await setTargets(first, second);
    stage = await startRoleStage({ source: source.config, check });
    await stage.delivers(first.port);
  });
  afterAll(async () => {
    await stage?.remove();
    await source?.remove();
    await world?.stop();
  });

  it('gets the new primary after a promotion while the old one lives on, and never the old one again', async () => {
    const since = performance.now();
    await second.promote();
    await served(since, second.port);
    await isRefused('db-1');
    await first.kill();
    await first.start();
    await isRefused('db-1');
    expect(orderOf(stage.published)).toEqual([first.port, second.port]);
  });

  it('serves no old primary while the new one is away, but the new one when it is back', async () => {
    await second.kill();
    await until('it is seen to be down', async () => {
      const target = (await stage.detail()).targets.find(({ name }) => name === 'db-2');
      return target?.health?.verdict === 'down';
    });
    await isRefused('db-1');
    await second.start();
    await until('it is up again', async () => {
      const target = (await stage.detail()).targets.find(({ name }) => name === 'db-2');
      return target?.health?.verdict === 'up';
    });
    await stage.delivers(second.port);
    expect(orderOf(stage.published)).toEqual([first.port, second.port]);
  });

  it('goes back to the first host, set up anew as a replica, while the leading server is killed', async () => {
    await first.kill();
    third = await world.replica(second);
    await setTargets(third, second);
    await until('it is seen as a replica', async () => {
      const target = (await stage.detail()).targets.find(({ name }) => name === 'db-1');
      return target?.port === third.port && target.votes.every(({ code }) => code === 'not-primary');
    });
    const leader = await stage.leader();
    const since = performance.now();
    await Promise.all([third.promote(), leader.kill()]);
    await leader.start();
    await served(since, third.port);
    await isRefused('db-2');
    expect(orderOf(stage.published)).toEqual([first.port, second.port, third.port]);
  });

  it('refuses the first timeline of a group that was set up anew, until an operator says that the past is over', async () => {
    await Promise.all([second.kill(), third.kill()]);
    const anew = await world.primary();
    await anew.sql(`create role checker login password 'checker-pw'`);
    await setTargets(third, second, anew);
    await isRefused('db-3');
    const leader = await stage.leader();
    const shown = await until('it is told what to do', async () => {
      const { stdout } = await leader.cli('service', 'db');
      return stdout.includes('! db-3') ? stdout : undefined;
    });
    expect(shown).toMatch(/^primary {4}last served db-1, newest timeline 3$/m);
    expect(shown).toContain('db-3 is a primary on timeline 1, but 3 is known');
    expect(shown).toContain('hsdo forget-primary db');
    expect(orderOf(stage.published).at(-1)).toBe(third.port);

    expect(await leader.cli('forget-primary', 'db')).toMatchObject({ code: 0, stderr: '' });
    await stage.delivers(anew.port);
    expect((await stage.detail()).primary).toMatchObject({ highestTimeline: 1, lastId: 'db-3' });
    expect(leader.log()).toContain('the primaries of the past are forgotten, as an operator asked');
    const unknown = await leader.cli('forget-primary', 'mail');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('"mail"')]);
    expect(orderOf(stage.published)).toEqual([first.port, second.port, third.port, anew.port]);
  });

  it('had at no instant two of them, in no list and in no state of HAProxy', () => {
    expect(twoAtOnce(stage.published)).toEqual([]);
    expect(twoAtOnce(stage.inHaproxy)).toEqual([]);
    const { store, haproxy } = stage.looks();
    console.log(`looked ${store} times at the store, ${haproxy} times at HAProxy`);
    expect(Math.min(store, haproxy)).toBeGreaterThan(500);
  });
});
