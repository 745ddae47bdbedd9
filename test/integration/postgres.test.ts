import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPostgresCheck, postgresSchema } from '../../src/check/postgres.ts';
import { runProbe } from '../../src/check/probing.ts';
import type { Probe } from '../../src/model/probe.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWith } from '../fixtures/component.ts';
import { openPostgresWorld, type PostgresServer, type PostgresWorld, postgresPrograms } from '../fixtures/postgres.ts';
import { until } from '../fixtures/until.ts';

const signal = new AbortController().signal;
const login = { user: 'checker', password: 'checker-pw' };

function probe(server: PostgresServer, options: object = {}, timeoutMs = 5000): Promise<Probe> {
  const config = postgresSchema.parse({ kind: 'postgres', ...login, ...options });
  const target = { id: 'db', name: 'db', address: '127.0.0.1', port: server.port, group: 'db' };
  const check = createPostgresCheck(config, { service: 'db', clock: systemClock });
  return runProbe(check, target, { timeoutMs, retries: 0, clock: systemClock }, signal);
}

describeWith(postgresPrograms, 'a real primary and its replica', () => {
  let world: PostgresWorld;
  let primary: PostgresServer;
  let replica: PostgresServer;

  beforeAll(async () => {
    world = await openPostgresWorld();
    primary = await world.primary();
    await primary.sql(`create role checker login password 'checker-pw'`);
    await primary.sql(`create role watcher login password 'watcher-pw' in role pg_monitor`);
    replica = await world.replica(primary);
  });
  afterAll(() => world.stop());

  it('say what they are, the primary with its timeline, and how long it took', async () => {
    const one = await probe(primary);
    expect(one).toMatchObject({ result: 'up', code: 'ok', role: 'primary', timeline: 1 });
    expect(one.message).toBe(`PostgreSQL at 127.0.0.1:${primary.port} is a primary on timeline 1`);
    expect(one.connectMs).toBeGreaterThan(0);
    expect(one.totalMs).toBeGreaterThan(one.connectMs ?? Number.NaN);
    expect(one.totalMs).toBeLessThan(4000);
    expect(await probe(replica)).toMatchObject({ result: 'up', code: 'ok', role: 'replica' });
  });

  it('pass by the role that is wanted', async () => {
    expect(await probe(primary, { role: 'primary' })).toMatchObject({ result: 'up' });
    expect(await probe(replica, { role: 'replica' })).toMatchObject({ result: 'up' });
    const notPrimary = await probe(replica, { role: 'primary' });
    expect(notPrimary).toMatchObject({ result: 'down', code: 'not-primary', role: 'replica' });
    expect(notPrimary.message).toMatch(/is a replica, expected a primary$/);
    const notReplica = await probe(primary, { role: 'replica' });
    expect(notReplica).toMatchObject({ result: 'down', code: 'not-replica', role: 'primary', timeline: 1 });
  });

  it('show a replica’s timeline to members of pg_monitor', async () => {
    const watcher = { user: 'watcher', password: 'watcher-pw' };
    await until('the replica streams', async () => (await probe(replica, watcher)).timeline === 1);
    expect((await probe(replica)).timeline).toBeUndefined();
  });

  it('say which log-in is not accepted, without the password', async () => {
    const wrong = await probe(primary, { password: 'wrong-pw' });
    expect(wrong).toMatchObject({ result: 'down', code: 'login' });
    expect(wrong.message).toContain('"password authentication failed for user "checker"" (SQLSTATE 28P01)');
    expect(await probe(primary, { user: 'nobody' })).toMatchObject({ code: 'login' });
    const database = await probe(primary, { database: 'missing' });
    expect(database).toMatchObject({ result: 'down', code: 'login' });
    expect(database.message).toContain('"database "missing" does not exist" (SQLSTATE 3D000)');
    const none = await probe(primary, { password: undefined });
    expect(none).toMatchObject({ code: 'login', message: expect.stringMatching(/wants a password, but none/) });
    expect(JSON.stringify([wrong, database])).not.toMatch(/checker-pw|wrong-pw/);
  });

  it('take user, password and database of their own by id, name or address', async () => {
    const targets = { '127.0.0.1': { user: 'watcher', password: 'watcher-pw', database: 'template1' } };
    expect(await probe(primary, { user: 'x', password: 'y', database: 'z', targets })).toMatchObject({ result: 'up' });
  });

  it('leave nothing on the server behind, and nothing in its log', async () => {
    const before = primary.log();
    for (let i = 0; i < 30; i += 1) expect(await probe(primary)).toMatchObject({ result: 'up' });
    const left = () => primary.sql(`select count(*) from pg_stat_activity where application_name = 'hsdo'`);
    await until('all connections are closed', async () => (await left()) === '0');
    expect(primary.log()).toBe(before);
  });

  it('are not called dead when they are full', async () => {
    const idle: Socket[] = [];
    try {
      // Those who never log in hold places for as long as authentication_timeout lets them.
      const full = await until('all connections are used up', async () => {
        idle.push(connect(primary.port, '127.0.0.1').on('error', () => {}));
        const found = await probe(primary);
        return found.code === 'ok' ? undefined : found;
      });
      expect(full).toMatchObject({ result: 'unknown', code: 'full' });
      expect(full.message).toContain('(SQLSTATE 53300), so its state is not known; it is full, not dead');
    } finally {
      for (const socket of idle) socket.destroy();
    }
    await until('there is room again', async () => (await probe(primary)).code === 'ok');
  });

  it('time out, on time, while the postmaster stands still', async () => {
    primary.signal('SIGSTOP');
    try {
      const startedAt = performance.now();
      expect(await probe(primary, {}, 300)).toMatchObject({ result: 'down', code: 'timeout' });
      expect(performance.now() - startedAt).toBeLessThan(2000);
    } finally {
      primary.signal('SIGCONT');
    }
    await until('it goes on', async () => (await probe(primary)).code === 'ok');
  });

  it('show a promotion at once, while the control file still has the old timeline', async () => {
    // Pages to write make the checkpoint that follows a promotion take its time.
    await primary.sql('create table filler as select generate_series(1, 50000) as n');
    const at = await primary.sql('select pg_current_wal_insert_lsn()');
    await until('the replica has it', async () => {
      return (await replica.sql(`select pg_last_wal_replay_lsn() >= '${at}'`)) === 't';
    });
    await replica.promote();
    expect(await probe(replica)).toMatchObject({ result: 'up', role: 'primary', timeline: 2 });
    expect(await replica.sql('select timeline_id from pg_control_checkpoint()')).toBe('1');
    await replica.sql('checkpoint');
    expect(await replica.sql('select timeline_id from pg_control_checkpoint()')).toBe('2');
    expect(await probe(replica)).toMatchObject({ role: 'primary', timeline: 2 });
  });

  it('say so while they shut down, and refuse once they have', async () => {
    const session = replica.sql('select pg_sleep(60)').catch(() => {});
    await until('a session is open', async () => {
      return (await replica.sql(`select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'`)) === '1';
    });
    replica.signal('SIGTERM');
    const closing = await until('it shuts down', async () => {
      const found = await probe(replica);
      return found.code === 'ok' ? undefined : found;
    });
    expect(closing).toMatchObject({ result: 'down', code: 'status' });
    expect(closing.message).toContain('"the database system is shutting down" (SQLSTATE 57P03)');
    await replica.kill();
    await session;
    expect(await probe(replica)).toMatchObject({ result: 'down', code: 'refused' });
  });
});

describeWith([...postgresPrograms, 'openssl'], 'a real server that speaks TLS', () => {
  let world: PostgresWorld;
  let server: PostgresServer;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = await makeCertificates();
    world = await openPostgresWorld();
    server = await world.primary();
    await server.sql(`create role checker login password 'checker-pw'`);
  });
  afterAll(() => Promise.all([world.stop(), certificates.remove()]));

  it('is asked without TLS to say that it has none', async () => {
    expect(await probe(server, { tls: true })).toMatchObject({ result: 'down', code: 'tls' });
  });

  it('is believed by its certificate alone', async () => {
    const { good, caFile } = certificates;
    await server.write('server.key', good.key);
    await server.write('server.crt', good.cert);
    await server.write('pg_hba.conf', 'local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n');
    await server.set('ssl=on');
    await server.kill();
    await server.start();
    expect(await probe(server, { tls: { ca: caFile } })).toMatchObject({ result: 'up', role: 'primary', timeline: 1 });
    expect(await probe(server, { tls: { ca: caFile, serverName: 'web.test' } })).toMatchObject({ result: 'up' });
    expect(await probe(server, { tls: { ignoreErrors: true } })).toMatchObject({ result: 'up' });
    const wrongName = await probe(server, { tls: { ca: caFile, serverName: 'other.test' } });
    expect(wrongName).toMatchObject({ result: 'down', code: 'tls' });
    expect(wrongName.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await probe(server, { tls: true })).toMatchObject({ result: 'down', code: 'tls' });
    expect(await probe(server, { tls: { ca: `${caFile}.missing` } })).toMatchObject({
      result: 'unknown',
      code: 'error',
    });
    expect(await probe(server)).toMatchObject({ code: 'login', message: expect.stringContaining('no encryption') });
  });
});
