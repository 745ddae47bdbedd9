import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { runCliHere } from '../fixtures/cli.ts';
import { describeWith } from '../fixtures/component.ts';
import { hsdoKeys, makeTable, plainKeys, rawClient } from '../fixtures/dynamodb.ts';
import { base64, type Etcd, startEtcd } from '../fixtures/etcd.ts';
import { type Haproxy, renderForTest, startHaproxy } from '../fixtures/haproxy.ts';
import { type Moto, motoPrograms, startMoto } from '../fixtures/moto.ts';
import { freePort } from '../fixtures/ports.ts';
import { until } from '../fixtures/until.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-doctor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const targets = { kind: 'static', targets: [{ name: 'a', address: '127.0.0.1', port: 80 }] };

/** What the doctor finds with this configuration, and how it ends. */
async function examineWith(config: Readonly<Record<string, unknown>>, ...args: readonly string[]) {
  const file = join(folder, 'env.yaml');
  const places = { api: { listen: 'off' }, exporter: { listen: 'off' }, stateDirectory: join(folder, 'state') };
  await writeFile(
    file,
    JSON.stringify({ ...places, store: { kind: 'sqlite', path: join(folder, 'hsdo.db') }, ...config }),
  );
  const { code, stdout, stderr } = await runCliHere(['doctor', '--json', '--config', file, ...args]);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  const of = (about: string) => findings.filter((one) => one.about.includes(about));
  return { code, findings, of, stderr };
}

describe('hsdo doctor', () => {
  it('says every fault of the configuration with exit code 1, and looks at the machine all the same', async () => {
    const { code, of } = await examineWith({ services: [{ name: 'web', source: { kind: 'statc' } }] });
    expect(code).toBe(1);
    expect(of('configuration')).toMatchObject([{ state: 'fault', remedy: expect.stringContaining('check-config') }]);
    expect(of('time zones')).toMatchObject([{ state: 'ok' }]);
  });

  it('says who has a port that hsdo needs, and makes no database by looking for one', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    try {
      const services = [{ name: 'web', source: targets }];
      const api = { listen: `127.0.0.1:${port}`, token: 'a-long-secret-token' };
      const found = await examineWith({ services, api, exporter: { listen: '203.0.113.9:6789' } });
      expect(found.code).toBe(1);
      expect(found.of('API at')).toMatchObject([
        { state: 'fault', says: expect.stringContaining(`pid ${process.pid}`) },
      ]);
      expect(found.of('exporter at')).toMatchObject([
        { state: 'fault', says: '203.0.113.9 is no address of this machine' },
      ]);
      expect(found.of('store sqlite')).toMatchObject([{ state: 'warning' }, { state: 'ok' }]);
      expect(found.of('source static of web')).toMatchObject([{ state: 'ok', says: 'answers with 1 target' }]);
      expect(JSON.stringify(found.findings)).not.toContain('a-long-secret-token');
    } finally {
      server.close();
    }
    const again = await examineWith({ services: [{ name: 'web', source: targets }] });
    expect(again.of('store sqlite')[0]?.says).toContain('is not there yet');
    expect(again.code).toBe(0);
  });

  it('looks at what one role needs alone, and tells of an upstream that is not there', async () => {
    const forward = { to: [`127.0.0.1:${await freePort()}`], timeoutSeconds: 0.3 };
    const dns = { listen: ['127.0.0.1:0'], domain: 'hsdo.test', forward };
    const services = [{ name: 'web', source: { kind: 'file', path: join(folder, 'absent.yaml') } }];
    const found = await examineWith({ services, dns }, '--dns');
    expect(found.of('DNS upstream')).toMatchObject([{ state: 'fault' }]);
    expect(found.of('source')).toEqual([]);
    expect((await examineWith({ services, dns }, '--server')).of('source file of web')).toMatchObject([
      { state: 'fault' },
    ]);
  });
});

describeWith(['haproxy'], 'hsdo doctor beside a real HAProxy', () => {
  let haproxy: Haproxy;
  beforeAll(async () => {
    haproxy = await startHaproxy();
  });
  afterAll(() => haproxy.stop());
  const service = (haproxyBlock: Readonly<Record<string, unknown>>, size = 10) => ({
    services: [{ name: 'web', size, source: targets, haproxy: { sockets: [haproxy.socketPath], ...haproxyBlock } }],
  });

  it('finds it in order where it is', async () => {
    const backends = [{ name: 'web', baseName: 'web' }];
    const { code, of } = await examineWith(service({ backends, stateFile: haproxy.stateFile }), '--client');
    expect(code).toBe(0);
    expect(of('HAProxy').map(({ state, says }) => [state, says])).toEqual([
      ['ok', expect.stringMatching(/^answers: version \d/)],
      ['ok', 'level admin: hsdo may change servers'],
      ['ok', '10 slots, as the list of web has'],
    ]);
  });

  it('tells a wrong backend, a wrong base name, too few slots and a wrong socket apart', async () => {
    const backends = [
      { name: 'webs', baseName: 'web' },
      { name: 'web', baseName: 'app' },
    ];
    const { code, of } = await examineWith(service({ backends }));
    expect(code).toBe(1);
    expect(of('backend webs')[0]?.says).toContain('did you mean web?');
    expect(of('backend web').at(-1)?.remedy).toContain('set the base name to "web"');
    const few = await examineWith(service({ backends: [{ name: 'web', baseName: 'web' }] }, 12));
    expect(few.of('backend web')).toMatchObject([
      { state: 'fault', says: expect.stringContaining('10 servers, but the list') },
    ]);
    const sockets = [join(folder, 'no.sock'), join(folder, 'env.yaml')];
    const wrong = await examineWith(service({ sockets, backends: [{ name: 'web', baseName: 'web' }] }));
    expect(wrong.of('no.sock')[0]?.says).toContain('no such file');
    expect(wrong.of('HAProxy').at(-1)?.says).toBe('it is a file, but no socket');
  });

  it('sees that a socket may not change anything', async () => {
    const weak = await startHaproxy({
      config: (places) =>
        `${renderForTest(places)}`.replace(
          'global\n',
          `global\n  stats socket ${places.folder}/weak.sock level operator\n`,
        ),
    });
    try {
      const sockets = [join(weak.folder, 'weak.sock')];
      const { code, of } = await examineWith(service({ sockets, backends: [{ name: 'web', baseName: 'web' }] }));
      expect(code).toBe(1);
      expect(of('weak.sock')[1]).toMatchObject({ state: 'fault', says: expect.stringContaining('level operator') });
    } finally {
      await weak.stop();
    }
  });
});

describeWith(['etcd'], 'hsdo doctor beside a real etcd', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());

  it('asks each member, proves that it may write, and leaves nothing behind', async () => {
    const store = { kind: 'etcd', endpoints: etcd.endpoints };
    const services = [{ name: 'web', source: targets }];
    const fine = await examineWith({ services, store });
    expect(fine.of('store etcd').map(({ state }) => state)).toEqual(['warning', 'ok', 'ok', 'ok', 'ok']);
    expect(fine.code).toBe(0);
    // Not the one that leads: without a leader the others could say as little.
    const victim = (await etcd.leader()) === 2 ? 1 : 2;
    etcd.signal(victim, 'SIGKILL');
    const wanted = [0, 1, 2].map((member) => (member === victim ? 'warning' : 'ok'));
    await until('the dead member is found', async () => {
      const wounded = await examineWith({ services, store });
      return (
        wounded
          .of('member')
          .map(({ state }) => state)
          .join() === wanted.join()
      );
    });
    const all = await etcd.call('/v3/kv/range', { key: base64('\0'), range_end: base64('\0') });
    expect(all['kvs']).toBeUndefined();
  });

  it('tells a user who may only read from one who may write', async () => {
    await etcd.enableAuth('root-password');
    await etcd.addUser('reader', 'very-secret', { key: 'x', end: 'y' });
    const token = await etcd.rootToken();
    const perm = { permType: 'READ', key: base64('hsdo/'), range_end: base64('hsdo0') };
    await etcd.call('/v3/auth/role/grant', { name: 'reader', perm }, { token });
    const [endpoint] = etcd.endpoints;
    const store = { kind: 'etcd', endpoints: [endpoint], username: 'reader', password: 'very-secret' };
    const { code, of, findings } = await examineWith({ services: [{ name: 'web', source: targets }], store });
    expect(code).toBe(1);
    expect(of('store etcd').at(-1)).toMatchObject({
      state: 'fault',
      says: expect.stringContaining('may be read, not written'),
      remedy: expect.stringContaining('give the user or token the right'),
    });
    expect(JSON.stringify(findings)).not.toContain('very-secret');
  });
});

describeWith(motoPrograms, 'hsdo doctor beside DynamoDB', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(() => moto.stop());

  it('knows a table that is fine, one with other keys and one that is not there, and writes to none', async () => {
    const [plain, hsdo] = [await makeTable(moto, plainKeys), await makeTable(moto, hsdoKeys)];
    const { endpoint, region, credentials } = moto;
    const access = { kind: 'dynamodb', endpoint, region, credentials };
    const services = [{ name: 'web', source: targets }];
    const fine = await examineWith({ services, store: { ...access, table: plain, hsdoTable: hsdo } });
    expect(fine.code, JSON.stringify(fine.findings)).toBe(0);
    const rights = 'key and rights are right: GetItem, PutItem, UpdateItem, DeleteItem, ConditionCheckItem';
    expect(fine.of('table ').map(({ says }) => says)).toEqual([rights, rights]);
    expect(fine.of('clock against')).toMatchObject([{ state: 'ok' }]);
    const wrong = await examineWith({ services, store: { ...access, table: hsdo, hsdoTable: 'absent' } });
    expect(wrong.of(`table ${hsdo}`)[0]?.remedy).toContain('Scope (S) and Key (S)');
    expect(wrong.of('table absent')[0]?.says).toContain('no such table');
    const client = rawClient(moto);
    for (const TableName of [plain, hsdo]) expect((await client.send(new ScanCommand({ TableName }))).Count).toBe(0);
    client.destroy();
  });
});
