import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SwitchView } from '../../src/api/switch-view.ts';
import { type Cloudflare, startCloudflare } from '../fixtures/cloudflare.ts';
import { type GoogleMetadata, startGoogleMetadata } from '../fixtures/google-metadata.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

let folder: string;
let cloudflare: Cloudflare;
let google: GoogleMetadata;
let one: TestTarget;
let two: TestTarget;
let hsdo: Hsdo;

/** The service of an example of conf/examples, with what stands in for its places and shorter intervals. */
async function serviceOf(example: string, replacements: Readonly<Record<string, string>>): Promise<object> {
  let text = await readFile(new URL(`../../conf/examples/${example}.yaml`, import.meta.url), 'utf8');
  for (const [old, next] of Object.entries({
    'intervalSeconds: 10': 'intervalSeconds: 0.2',
    'intervalSeconds: 5': 'intervalSeconds: 0.2',
    ...replacements,
  })) {
    if (!text.includes(old)) continue;
    text = text.replaceAll(old, next);
  }
  const { services } = parse(text) as { services: object[] };
  return { ...services[0], name: example };
}

const targetsIn = (first: string, second: string) => ({
  [`address: ${first}, port: 80`]: `address: ${one.address}, port: ${one.port}`,
  [`address: ${second}, port: 80`]: `address: ${two.address}, port: ${two.port}`,
});

async function services(): Promise<object[]> {
  const near = targetsIn('192.0.2.10', '192.0.2.20');
  const script = join(folder, 'switch.sh');
  await writeFile(
    script,
    `#!/bin/sh\n[ -n "$1" ] && echo "$1 $2 $API_KEY" >> ${folder}/log && echo "$2" > ${folder}/state\ncat ${folder}/state\n`,
  );
  await chmod(script, 0o755);
  await writeFile(join(folder, 'state'), `${two.address}\n`);
  await writeFile(join(folder, 'google.json'), google.keyFile());
  return [
    await serviceOf('switch-cloudflare', {
      ...targetsIn('111.111.111.11', '222.222.222.22'),
      'zone: foo.com': `zone: foo.com\n      baseUrl: ${cloudflare.baseUrl}`,
      'reconcileSeconds: 5': 'reconcileSeconds: 0.3',
    }),
    await serviceOf('switch-exec', {
      ...near,
      '/etc/hsdo/switch.sh': script,
      '/etc/hsdo/current.sh': script,
      'delaySeconds: 120': 'delaySeconds: 0',
    }),
    await serviceOf('switch-google-cloud', {
      ...near,
      'project: my-project': `project: ${google.project}\n      baseUrl: ${google.baseUrl}`,
      '/etc/hsdo/google.json': join(folder, 'google.json'),
    }),
  ];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-switch-'));
  cloudflare = await startCloudflare('foo.com');
  google = await startGoogleMetadata();
  [one, two] = (await startTargets(2)) as [TestTarget, TestTarget];
  // What an earlier cluster left behind, before ep-1 was back.
  cloudflare.add({ name: 'foo.com', content: two.address });
  hsdo = await startHsdo({
    role: 'server',
    nodeId: 'n1',
    config: { services: await services(), store: { kind: 'sqlite' }, intervalSeconds: 0.2 },
    env: { CLOUDFLARE_TOKEN: cloudflare.token, FLOATING_KEY: 'k-1' },
  });
}, 90_000);
afterAll(async () => {
  await hsdo.remove();
  for (const part of [cloudflare, google, one, two]) await part.stop();
  await rm(folder, { recursive: true, force: true });
});

async function views(): Promise<Record<string, SwitchView | undefined>> {
  const status = await hsdo.status();
  return Object.fromEntries(status.services.map((service) => [service.name, service.switch]));
}

const outside = async () => ({
  cloudflare: cloudflare.shown('foo.com').join(),
  exec: (await readFile(join(folder, 'state'), 'utf8')).trim(),
  google: google.items().find(({ key }) => key === 'active-entry-point')?.value,
});
const allAt = ({ address }: TestTarget) => ({ cloudflare: `A ${address} proxied`, exec: address, google: address });
const settled = (what: string, wanted: object) =>
  until(what, async () => JSON.stringify(await outside()) === JSON.stringify(wanted));

describe('a server that switches, with the examples for it', () => {
  it('begins where the outside points, and creates what is not there', async () => {
    // ep-2 stays, since ep-1 has not been up for failbackSeconds; nothing was known of Google's key.
    await settled('all are as decided', { ...allAt(two), google: one.address });
    await until('all agree', async () => Object.values(await views()).every((view) => view?.agrees));
    expect(await views()).toMatchObject({
      'switch-cloudflare': { kind: 'cloudflare', wanted: 'ep-2', current: two.address },
      'switch-exec': { kind: 'exec', wanted: 'ep-2', current: two.address },
      'switch-google-cloud': { kind: 'google-cloud', wanted: 'ep-1', current: one.address },
    });
    expect(cloudflare.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('follows within the time of the checks, and two seconds', async () => {
    const startedAt = performance.now();
    await two.stop();
    await settled('all follow', allAt(one));
    // 0.2 s x 2 for the checks; the rest is for a machine with other work.
    expect(performance.now() - startedAt).toBeLessThan(6000);
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe(`ep-1 ${one.address} k-1\n`);
    const { stdout } = await hsdo.cli('service', 'switch-cloudflare');
    expect(stdout).toMatch(/^switch {5}cloudflare: ep-1 \(agrees\), read \d+ s ago$/m);
    expect((await hsdo.cli('status')).stdout).toMatch(/^switch-exec +exec +ep-1 \(agrees\) +\d+ s +\d+ s +-$/m);
    expect(await hsdo.metric('hsdo_switch_agrees')).toEqual(
      new Map(['cloudflare', 'exec', 'google-cloud'].map((kind) => [`service="switch-${kind}"`, 1])),
    );
  });

  it('puts right what others change, over limits and error pages', async () => {
    cloudflare.failNext(
      { status: 429, headers: { 'retry-after': '1' }, body: '{"success":false,"errors":[{"code":10013}]}' },
      { status: 502, body: '<html>Bad gateway</html>' },
    );
    cloudflare.records.splice(0);
    for (const content of [two.address, '192.0.2.99']) cloudflare.add({ name: 'foo.com', content, proxied: false });
    await writeFile(join(folder, 'state'), 'ep-2\n');
    google.write('active-entry-point', 'nonsense');
    await settled('all are repaired', allAt(one));
    expect(google.items().some(({ key }) => key === 'ssh-keys')).toBe(true);
  });

  it('tells a refusal at once, and a provider that hangs delays no other service', async () => {
    google.answerNext(403, { error: { message: 'Required permission is missing', errors: [{ reason: 'forbidden' }] } });
    cloudflare.hold = () => new Promise(() => {});
    const problems = await until('the refusal is told', async () => {
      const { problems } = await hsdo.status();
      return problems.find(({ part }) => part === 'switch "switch-google-cloud" (google-cloud)');
    });
    expect(problems.message).toContain('Required permission is missing');
    await two.start();
    await one.stop();
    await until('the program is run', async () => (await outside()).exec === two.address);
    expect((await outside()).cloudflare).toBe(`A ${one.address} proxied`);
    cloudflare.hold = undefined;
    // Neither a token of Cloudflare's nor a key was ever written down.
    expect(hsdo.log()).not.toMatch(new RegExp(`${cloudflare.token}|k-1|PRIVATE KEY|ya29`));
  });
});
