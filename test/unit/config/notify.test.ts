import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';

/** Loads a configuration with these top-level parts; the faults as lines without their place. */
function load(parts: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-notify-'));
  const file = join(folder, 'env.yaml');
  const source = { kind: 'static', targets: [{ address: '10.0.0.1' }] };
  writeFileSync(file, JSON.stringify({ services: [{ name: 'web', source }], ...parts }));
  try {
    const { config, faults } = loadConfig({ file, env });
    return { config, faults: faults.map((fault) => showFault(fault).replace(/^[^ ]+: /, '')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const mail = { kind: 'email', smtp: { server: 'mail' }, from: 'a@example.org', to: 'b@example.org' };
const bot = { kind: 'telegram', token: '42:abcdefgh', joinCode: 'sesame' };
const hook = { kind: 'webhook', url: 'https://hooks.example.org/abc' };

describe('what notifiers may be configured as', () => {
  it('takes several of all kinds, with names and defaults', () => {
    const { config } = load({ notify: [mail, bot, hook, { ...hook, name: 'two' }], heartbeatPing: { url: hook.url } });
    expect(config?.notify.map(({ name }) => name)).toEqual(['email-anon', 'telegram-anon', 'webhook-anon', 'two']);
    expect(config?.notify[0]).toMatchObject({
      groupSeconds: 5,
      maxPerHour: 60,
      remindMinutes: 0,
      to: ['b@example.org'],
    });
    expect(config?.cluster.name).toBe('hsdo');
    expect(JSON.stringify(config)).not.toMatch(/hooks\.example\.org|abcdefgh|sesame/);
  });

  it('takes every secret from the environment', () => {
    const env = { HOOK: hook.url, TOKEN: bot.token, CODE: bot.joinCode };
    const { config, faults } = load(
      {
        notify: [
          { ...hook, url: { env: 'HOOK' }, headers: { 'X-Key': { env: 'CODE' } }, secret: { env: 'TOKEN' } },
          { ...bot, token: { env: 'TOKEN' }, joinCode: { env: 'CODE' } },
        ],
        heartbeatPing: { url: { env: 'HOOK' } },
      },
      env,
    );
    expect(faults).toEqual([]);
    const [one, two] = config?.notify ?? [];
    expect(one?.kind === 'webhook' && [one.url.reveal(), one.headers['X-Key']?.reveal(), one.secret?.reveal()]).toEqual(
      [hook.url, bot.joinCode, bot.token],
    );
    expect(two?.kind === 'telegram' && two.joinCode.reveal()).toBe(bot.joinCode);
    expect(config?.heartbeatPing?.url.reveal()).toBe(hook.url);
  });

  it.each([
    [
      'two of one name',
      { notify: [hook, hook] },
      'notify[1].name: "webhook-anon" is wrong: expected a name of its own',
    ],
    [
      'a stranger',
      { notify: [{ ...hook, services: ['wbe'] }] },
      'notify[0].services[0]: "wbe" is wrong: expected one of web',
    ],
    [
      'no such event',
      { notify: [{ ...hook, kinds: ['target-dead'] }] },
      /^notify\[0\]\.kinds\[0\]: "target-dead" is wrong/,
    ],
    [
      'half a login',
      { notify: [{ ...mail, smtp: { server: 'm', username: 'u' } }] },
      /^notify\[0\]\.smtp\.password: missing/,
    ],
    ['an address with a second line', { notify: [{ ...mail, to: 'a@b\r\nBcc: c@d' }] }, /^notify\[0\]\.to/],
    ['a recipient too many', { notify: [{ ...mail, to: 'a@b, c@d' }] }, /^notify\[0\]\.to.*expected an address/],
    ['a header of ours', { notify: [{ ...hook, headers: { Host: 'x' } }] }, /^notify\[0\]\.headers/],
    ['a bad name', { cluster: { name: 'a b' } }, /^cluster\.name: "a b" is wrong/],
    [
      'no URL',
      { heartbeatPing: { url: 'ftp://secret-place/' } },
      /^heartbeatPing\.url: \*\*\* is wrong: expected a URL/,
    ],
    ['a login in a URL', { notify: [{ ...hook, url: 'https://u:geheim@h/' }] }, /^notify\[0\]\.url: \*\*\* is wrong/],
    [
      'no place',
      { notify: [hook], store: { hsdoTable: 'hsdo', region: 'eu-central-1' } },
      /^store\.table: missing: notify is set, and .*DYNAMODB_STORE_TABLE_NAME/,
    ],
  ])('names the fault: %s', (_what, parts, wanted) => {
    const { faults } = load(parts);
    expect(faults).toEqual([typeof wanted === 'string' ? wanted : expect.stringMatching(wanted)]);
    expect(faults.join()).not.toMatch(/secret-place|geheim/);
  });
});
