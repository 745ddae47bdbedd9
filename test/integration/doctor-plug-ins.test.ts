import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { runCliHere } from '../fixtures/cli.ts';
import { startCloudflare } from '../fixtures/cloudflare.ts';
import { startGoogleMetadata } from '../fixtures/google-metadata.ts';
import { freePort } from '../fixtures/ports.ts';
import { startSmtpSink } from '../fixtures/smtp-sink.ts';
import { startTelegram } from '../fixtures/telegram.ts';
import { startWebhookSink } from '../fixtures/webhook-sink.ts';

let folder: string;
let certificates: Certificates;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-doctor-'));
  certificates = await makeCertificates();
  // To load it may take as long as a look may, on a machine that has other work.
  await import('google-auth-library');
});
afterAll(async () => {
  await certificates?.remove();
  await rm(folder, { recursive: true, force: true });
});
const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
});
/** Stopped after the test. */
const use = <T extends { stop(): Promise<void> }>(one: T): T => {
  open.push(one);
  return one;
};

const targets = [
  { name: 'ep-1', address: '192.0.2.10', port: 80 },
  { name: 'ep-2', address: '192.0.2.20', port: 80 },
];
const service = { name: 'web', domain: 'www.example.org', source: { kind: 'static', targets } };

/** What the doctor finds of one thing, as state, words and remedy. */
async function examineWith(config: Readonly<Record<string, unknown>>, about: string, ...args: readonly string[]) {
  const file = join(folder, 'env.yaml');
  const store = { kind: 'sqlite', path: join(folder, 'hsdo.db') };
  const places = { api: { listen: 'off' }, exporter: { listen: 'off' }, stateDirectory: join(folder, 'state') };
  await writeFile(file, JSON.stringify({ ...places, store, services: [service], ...config }));
  const { stdout } = await runCliHere(['doctor', '--json', '--config', file, ...args]);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  const found = findings.filter((one) => one.about.startsWith(about));
  return { stdout, found, said: found.map(({ state, says }) => `${state}: ${says}`), remedy: found.at(-1)?.remedy };
}

const withSwitch = (options: object, ...args: readonly string[]) =>
  examineWith({ services: [{ ...service, switch: options }] }, 'switch', ...args);
const withNotifier = (options: object) => examineWith({ notify: [options] }, 'notifier');

describe('hsdo doctor and what is switched', () => {
  it('reads the record at Cloudflare, says when the token ends, and writes nothing', async () => {
    const cloudflare = use(await startCloudflare('example.org'));
    const options = {
      kind: 'cloudflare',
      apiToken: cloudflare.token,
      zone: 'example.org',
      baseUrl: cloudflare.baseUrl,
    };
    const missing = await withSwitch(options);
    expect(missing.said).toEqual(['warning: answers, and points at nothing yet']);
    const record = cloudflare.add({ name: 'www.example.org', content: '192.0.2.20' });
    expect((await withSwitch(options)).said).toEqual(['ok: points at ep-2 (192.0.2.20)']);
    cloudflare.expiresOn = '2199-01-02T00:00:00Z';
    expect((await withSwitch(options)).said[0]).toBe('ok: the token ends on 2199-01-02');
    cloudflare.expiresOn = '2026-01-02T00:00:00Z';
    expect((await withSwitch(options)).found[0]).toMatchObject({
      state: 'warning',
      says: 'the token ends on 2026-01-02',
      remedy: 'make another one and put it into switch.apiToken',
    });
    record.content = '198.51.100.1';
    const strange = await withSwitch(options);
    expect(strange.said[1]).toBe(
      'warning: says "198.51.100.1", which is neither name nor address of one of the 2 targets of web',
    );
    expect(new Set(cloudflare.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect((await withSwitch(options, '--client')).found).toEqual([]);
  });

  it('says which part of the way to Cloudflare is wrong, and never the token', async () => {
    const cloudflare = use(await startCloudflare('example.org'));
    const options = {
      kind: 'cloudflare',
      apiToken: 'token-of-another',
      zone: 'example.org',
      baseUrl: cloudflare.baseUrl,
    };
    const refused = await withSwitch(options);
    expect(refused.said).toEqual([expect.stringMatching(/^fault: Cloudflare answered 403 .*the token is wrong/)]);
    expect(refused.remedy).toContain('switch.apiToken');
    expect(refused.stdout).not.toContain('token-of-another');
    const zone = await withSwitch({
      ...options,
      apiToken: cloudflare.token,
      zone: 'example.net',
      record: 'www.example.net',
    });
    expect(zone.said).toEqual([expect.stringContaining('Cloudflare has no zone "example.net"')]);
    const away = await withSwitch({ ...options, baseUrl: `http://127.0.0.1:${await freePort()}` });
    expect(away.said).toEqual([expect.stringMatching(/^fault: Cloudflare at .* ECONNREFUSED/)]);
    expect(away.remedy).toContain('nothing listens there');
  });

  it('reads the key at Google with a key file or by the metadata server of the machine, and says where there are none', async () => {
    const google = use(await startGoogleMetadata());
    const credentialsPath = join(folder, 'key.json');
    await writeFile(credentialsPath, google.keyFile());
    const options = { kind: 'google-cloud', project: google.project, metadataKey: 'active', baseUrl: google.baseUrl };
    google.write('active', '192.0.2.10');
    expect((await withSwitch({ ...options, credentialsPath })).said).toEqual(['ok: points at ep-1 (192.0.2.10)']);
    expect(google.requests.filter(({ method, url }) => method !== 'GET' && url !== '/token')).toEqual([]);
    vi.stubEnv('GCE_METADATA_HOST', new URL(google.baseUrl).host);
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined);
    try {
      expect((await withSwitch(options)).said).toEqual(['ok: points at ep-1 (192.0.2.10)']);
    } finally {
      vi.unstubAllEnvs();
    }
    const none = await withSwitch({ ...options, credentialsPath: join(folder, 'none.json') });
    expect(none.said).toEqual([expect.stringMatching(/^fault: Cannot get a token of Google with the credentials in/)]);
    expect(none.remedy).toContain('switch.credentialsPath');
  });

  it('runs what tells where the outside points, and only looks at what switches it', async () => {
    const script = async (name: string, text: string, mode = 0o755) => {
      await writeFile(join(folder, name), text);
      await chmod(join(folder, name), mode);
      return join(folder, name);
    };
    const touched = join(folder, 'touched');
    const switcher = await script('switch', `#!/bin/sh\ntouch ${touched}\n`);
    const init = await script('init', '#!/bin/sh\necho ep-2\n');
    const options = { kind: 'exec', switch: switcher, init, env: { KEY: 'very-secret' } };
    expect((await withSwitch(options)).said).toEqual([
      'ok: all executables can be started by this user',
      'ok: points at ep-2 (192.0.2.20)',
    ]);
    expect((await withSwitch({ kind: 'exec', switch: switcher })).said).toEqual([
      'ok: switch can be started by this user; nothing tells where it points',
    ]);
    await script('init', '#!/bin/sh\necho "other with $KEY"\n');
    const strange = await withSwitch(options);
    expect(strange.said[1]).toContain('warning: says "other with ***", which is neither name nor address');
    await script('init', '#!/bin/sh\necho "$KEY does not work" >&2\nexit 3\n');
    expect((await withSwitch(options)).said[1]).toMatch(
      /^fault: init ".*\/init" ended with code 3: \*\*\* does not work$/,
    );
    const faultOf = async (text: string, mode?: number) => {
      await script('switch', text, mode);
      return (await withSwitch(options)).said;
    };
    const says = (words: string) => [expect.stringMatching(new RegExp(`^fault: switch "/\\S+/switch" ${words}$`))];
    expect(await faultOf('#!/bin/sh\n', 0o644)).toEqual(says('is not executable for this user'));
    expect(await faultOf('echo no first line\n')).toEqual(says('begins with neither #! nor a program of this system'));
    expect(await faultOf('#!/no/such/shell -e\n')).toEqual(
      says('wants the interpreter /no/such/shell, which cannot be started'),
    );
    expect((await withSwitch({ ...options, switch: join(folder, 'absent') })).said[0]).toContain('is not there');
  });
});

describe('hsdo doctor and who is told', () => {
  it('goes as far as the login of a mail server, and sends nothing', async () => {
    const sink = use(await startSmtpSink({ tls: certificates.good, user: 'hsdo' }));
    const smtp = { server: '127.0.0.1', port: sink.port, username: 'hsdo', ca: certificates.caFile };
    const mail = { kind: 'email', from: 'hsdo@example.org', to: 'ops@example.org' };
    const fine = await withNotifier({ ...mail, smtp: { ...smtp, password: 'right' } });
    expect(fine.said).toEqual(['ok: greets, under TLS; the login works']);
    const wrong = await withNotifier({ ...mail, smtp: { ...smtp, password: 'wrong-but-secret' } });
    expect(wrong.said).toEqual([expect.stringMatching(/^fault: Cannot notify "email-anon": Invalid login: 535/)]);
    expect(wrong.remedy).toContain('username and password of smtp');
    expect(wrong.stdout).not.toContain('wrong-but-secret');
    const distrusted = await withNotifier({ ...mail, smtp: { ...smtp, ca: undefined, password: 'right' } });
    expect([distrusted.found[0]?.state, distrusted.remedy]).toEqual(['fault', expect.stringContaining('smtp.ca')]);
    expect([sink.mails, sink.logins]).toEqual([[], ['hsdo:right', 'hsdo:wrong-but-secret']]);
    const secure = use(await startSmtpSink({ tls: certificates.good, secure: true, user: 'hsdo' }));
    const ssl = { ...smtp, port: secure.port, security: 'ssl', password: 'right' };
    expect((await withNotifier({ ...mail, smtp: ssl })).said).toEqual(['ok: greets, under TLS; the login works']);
    const plain = use(await startSmtpSink());
    const own = { server: '127.0.0.1', port: plain.port };
    expect((await withNotifier({ ...mail, smtp: own })).said).toEqual([
      'ok: greets, without TLS; no login is configured',
    ]);
    const deaf = { ...own, security: 'none', username: 'hsdo', password: 'right' };
    expect((await withNotifier({ ...mail, smtp: deaf })).said).toEqual([
      'warning: greets, without TLS, but offers no login: mails are sent without one',
    ]);
    const away = await withNotifier({ ...mail, smtp: { ...own, port: await freePort() } });
    expect([away.found[0]?.state, away.remedy]).toEqual(['fault', expect.stringContaining('nothing listens there')]);
  });

  it('asks Telegram whose token it is', async () => {
    const telegram = use(await startTelegram());
    const bot = { kind: 'telegram', token: '42:right-token', joinCode: 'open sesame', baseUrl: telegram.url };
    expect((await withNotifier(bot)).said).toEqual(['ok: the token is that of the bot @hsdo_bot']);
    const wrong = await withNotifier({ ...bot, token: '42:wrong-token' });
    expect(wrong.said).toEqual(['fault: Cannot notify "telegram-anon": getMe was refused with 401 (Unauthorized)']);
    expect(wrong.remedy).toContain('@BotFather');
    expect(wrong.stdout).not.toContain('42:wrong-token');
    expect(telegram.sends()).toBe(0);
  });

  it('connects to where a webhook and the ping lead, and asks nothing there', async () => {
    const sink = use(await startWebhookSink());
    const url = `${sink.url}/secret-path`;
    expect((await withNotifier({ kind: 'webhook', url })).said).toEqual([
      'ok: its host can be reached; nothing was posted there',
    ]);
    expect((await examineWith({ heartbeatPing: { url } }, 'heartbeat')).said).toEqual([
      'ok: its host can be reached; nothing was asked there',
    ]);
    const noTls = await withNotifier({ kind: 'webhook', url: url.replace('http:', 'https:') });
    expect(noTls.found[0]?.state).toBe('fault');
    await sink.stop();
    const away = await withNotifier({ kind: 'webhook', url });
    expect(away.said).toEqual([expect.stringMatching(/^fault: Cannot notify "webhook-anon": .*ECONNREFUSED/)]);
    expect(sink.posted).toEqual([]);
    for (const one of [noTls, away]) expect(one.stdout).not.toContain('secret-path');
  });
});
