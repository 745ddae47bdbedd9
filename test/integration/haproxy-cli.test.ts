import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Haproxy, serverState, startHaproxy } from '../fixtures/haproxy.ts';
import { type Hsdo, runHsdo, startHsdo } from '../fixtures/hsdo.ts';
import { request } from '../fixtures/load.ts';
import { startProgram } from '../fixtures/program.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const agent = new Agent({ keepAlive: false });

describeWith(['haproxy'], 'what HAProxy starts from, made on the command line', () => {
  let folder: string;
  let configPath: string;
  let haproxy: Haproxy;
  let targets: TestTarget[];
  let hsdo: Hsdo;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-cli-'));
    [haproxy, targets] = await Promise.all([startHaproxy(), startTargets(2)]);
    const config = {
      services: [
        {
          name: 'web',
          source: { kind: 'static', targets: targets.map(({ name, address, port }) => ({ name, address, port })) },
          haproxy: {
            sockets: [haproxy.socketPath],
            stateFile: haproxy.stateFile,
            backends: [{ name: 'web', baseName: 'web' }],
          },
        },
      ],
      stateDirectory: join(folder, 'state'),
      store: { kind: 'sqlite', path: join(folder, 'store', 'hsdo.db') },
    };
    configPath = join(folder, 'hsdo.json');
    await writeFile(configPath, JSON.stringify(config));
    hsdo = await startHsdo({ role: 'both', nodeId: 'one', config });
    await until('both targets are up', async () =>
      (await Promise.all(['web1', 'web2'].map((name) => serverState(haproxy, name)))).every(({ isUp }) => isUp),
    );
    // And hsdo has seen it: one that it saw down last would rightly start without a share.
    await until('hsdo remembers both as up', async () => {
      const files = ['', '.next'].map((end) => join(folder, 'state', `haproxy-web.json${end}`));
      const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
      return texts.some((text) => text.split('"isUp":true').length === 3);
    });
    await hsdo.stop();
    await haproxy.kill();
    await rm(haproxy.stateFile, { force: true });
  });
  afterEach(async () => {
    await hsdo?.remove();
    await haproxy?.stop();
    for (const target of targets ?? []) await target.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The very first answers of a HAProxy that nobody but its state file has told anything. */
  const firstAnswers = async () => {
    await haproxy.start();
    const answers = await Promise.all(Array.from({ length: 8 }, () => request(haproxy.url, agent)));
    return new Set(answers.map(({ status, target }) => `${status} ${target}`));
  };
  const expectBoth = () => new Set(targets.map(({ address }) => `200 ${address}`));

  it('writes the state file from the store, and HAProxy serves from it with no hsdo there', async () => {
    expect(await runHsdo(['haproxy-state', '--config', configPath])).toMatchObject({ code: 0, stdout: '' });
    expect(await firstAnswers()).toEqual(expectBoth());
  });

  it('writes the state file from the disk while the store is away, and says so', async () => {
    await rename(join(folder, 'store'), join(folder, 'store.away'));
    await writeFile(join(folder, 'store'), 'not a folder');
    const done = await runHsdo(['haproxy-state', '--config', configPath, '--timeout-ms', '500']);
    expect(done.code).toBe(0);
    expect(done.stderr).toContain('the list on disk is taken for "web"');
    expect(await firstAnswers()).toEqual(expectBoth());
  });

  it('prints the state file, and refuses a time-out that is none', async () => {
    const printed = await runHsdo(['haproxy-state', '--config', configPath, '--print']);
    for (const { address } of targets) expect(printed.stdout).toContain(` ${address} `);
    expect(await runHsdo(['haproxy-state', '--config', configPath, '--timeout-ms', 'soon'])).toMatchObject({ code: 2 });
  });

  it('prints a configuration that HAProxy takes, and asks which service where there are several', async () => {
    const one = await runHsdo([
      'haproxy-config',
      '--config',
      configPath,
      '--bind',
      '127.0.0.1:28080',
      '--check-path',
      '/',
    ]);
    expect(one).toMatchObject({ code: 0, stderr: '' });
    const file = join(folder, 'haproxy.cfg');
    await writeFile(file, one.stdout);
    const check = startProgram('haproxy', ['-c', '-f', file]);
    expect({ code: await check.exited, output: check.output() }).toMatchObject({ code: 0 });

    const single = JSON.parse(await readFile(configPath, 'utf8')) as { services: { name: string }[] };
    const shop = { name: 'shop', haproxy: { backends: [{ name: 'shop', baseName: 'shop' }] } };
    const services = [...single.services, shop];
    await writeFile(configPath, JSON.stringify({ ...single, services }));
    const several = await runHsdo(['haproxy-config', '--config', configPath]);
    expect(several).toMatchObject({ code: 2, stdout: '' });
    expect(several.stderr).toContain('--service: expected one of web, shop');
    expect(await runHsdo(['haproxy-config', '--config', configPath, '--service', 'shop'])).toMatchObject({ code: 0 });
  });
});
