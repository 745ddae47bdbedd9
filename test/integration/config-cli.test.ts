import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { runCliHere } from '../fixtures/cli.ts';
import { exampleSecrets } from '../fixtures/examples.ts';
import { runHsdo } from '../fixtures/hsdo.ts';

const conf = fileURLToPath(new URL('../../conf/', import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

const fileOf = async (text: string) => {
  const file = join(folder, 'env.yaml');
  await writeFile(file, text);
  return file;
};

describe('hsdo at the command line', () => {
  it('finds nothing wrong with the examples', async () => {
    const examples = (await readdir(join(conf, 'examples'))).filter(
      (name) => /\.yaml$/.test(name) && name !== 'targets.yaml',
    );
    expect(examples.length).toBeGreaterThan(20);
    for (const name of examples) {
      const { faults, notices } = loadConfig({ file: join(conf, 'examples', name), env: exampleSecrets });
      expect([faults, notices], name).toEqual([[], []]);
    }
    const { code, stdout, stderr } = await runHsdo(['check-config', '-c', join(conf, 'examples', 'dhaf.yaml')], {
      env: exampleSecrets,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/is fine: 1 service \(main\), store etcd/);
  });

  it('takes conf/env.yaml once its comments are taken away', async () => {
    const text = await readFile(join(conf, 'env.yaml'), 'utf8');
    const filled = text.replaceAll(/^# (?=[A-Z_]+: )/gm, '');
    expect(Object.keys(parse(filled) as object).length).toBeGreaterThan(15);
    expect(await runHsdo(['check-config', '-c', await fileOf(filled)])).toMatchObject({ code: 0, stderr: '' });
  });

  it('says every fault with exit code 78, in check-config and in the roles alike', async () => {
    const file = await fileOf('SERVER_MODE: file\nINTERVL: 1\nHAPROXY_BACKEND_SERVER_PORT: 80.9\nAPI_TOKEN: tiny\n');
    for (const args of [['check-config'], ['--server'], ['--client'], ['--server', '--client']]) {
      const { code, stdout, stderr } = await runHsdo([...args, '--config', file], { env: { LEASE_TTL: '12abc' } });
      expect({ code, stdout }, args.join()).toEqual({ code: 78, stdout: '' });
      expect(stderr).toContain(`${file}:2: INTERVL: no such parameter; did you mean INTERVAL?`);
      expect(stderr).toContain(`${file}:3: HAPROXY_BACKEND_SERVER_PORT: "80.9" is wrong: expected a whole number`);
      expect(stderr).toContain('environment: LEASE_TTL: "12abc" is wrong');
      expect(stderr).toContain('SERVER_FILE_PATH: expected a value, since SERVER_MODE is file');
      expect(stderr).not.toContain('tiny');
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });

  it('prints the configuration as it is understood, as JSON that a program reads', async () => {
    const file = await fileOf('SERVER_MODE: file\nSERVER_FILE_PATH: t.yaml\nCLIENT_DEDICATED_ASG: false\n');
    const env = { API_TOKEN: 'very-secret', INTERVAL: '3' };
    const { code, stdout } = await runHsdo(['check-config', '--json', '--print', '-c', file], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      faults: [],
      notices: [`${file}:3: CLIENT_DEDICATED_ASG is taken as AZ_LIMITER`],
      config: { intervalSeconds: 3, api: { token: '***' } },
    });
    expect(stdout).not.toContain('very-secret');
  });

  it('prints no secret of an extension either, wherever its options may refer to one', async () => {
    const own = { kind: 'module', path: './own.mjs' };
    const refer = { env: 'OWN_SECRET' };
    const options = {
      places: 3,
      password: refer,
      token: [refer],
      api: { clientSecret: refer, region: 'eu' },
      headers: { 'X-Login': refer },
      url: refer,
    };
    const service = {
      ...{ name: 'web', domain: 'web.test', source: { kind: 'static', targets: ['10.0.0.1:80'] } },
      ...{ check: { ...own, options }, select: 'active-passive', switch: { ...own, options } },
    };
    const file = await fileOf(JSON.stringify({ services: [service], notify: [{ ...own, name: 'own', options }] }));
    vi.stubEnv('OWN_SECRET', 'in-plain-sight');
    for (const more of [[], ['--json']]) {
      const { code, stdout } = await runCliHere(['check-config', '--print', ...more, '-c', file]);
      expect([code, stdout]).toEqual([0, expect.not.stringContaining('in-plain-sight')]);
      expect(stdout.match(/"region": "eu"/g)).toHaveLength(3);
      expect(stdout.match(/"clientSecret": "\*\*\*"/g)).toHaveLength(3);
    }
  });

  it('tells whoever comes without arguments what there is to do', async () => {
    const alone = await runHsdo([]);
    const help = await runHsdo(['--help']);
    expect([alone.code, help.code, alone.stderr]).toEqual([0, 0, '']);
    expect(alone.stdout).toMatch(/^hsdo \S+ keeps services reachable/);
    for (const command of ['demo', 'check-config', '--server', '--client', 'status', 'doctor', '--help']) {
      expect(alone.stdout).toContain(`hsdo ${command}`);
    }
    for (const word of ['--server', '--client', '--debug', 'check-config', 'status', 'slots', 'override', 'release']) {
      expect(help.stdout).toContain(word);
    }
  });

  it('ends with 2 for a command line that it does not understand', async () => {
    for (const args of [
      ['--sever'],
      ['statsu'],
      ['override', 'web'],
      ['override', 'web', 't', 'sleep'],
      ['--config'],
    ]) {
      const { code, stdout, stderr } = await runCliHere(args);
      expect({ code, stdout }, args.join()).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: /);
    }
    expect(await runHsdo(['statsu'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown command "statsu"; did you mean status?'),
    });
  });

  it('says whom it asked when no hsdo answers', async () => {
    const { code, stderr } = await runHsdo(['--api', 'http://127.0.0.1:1', 'status']);
    expect(code).toBe(1);
    expect(stderr).toContain('Cannot ask hsdo at http://127.0.0.1:1');
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
