import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCliHere } from '../../fixtures/cli.ts';
import { loadText, predecessorsExample } from '../../fixtures/importing.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (name: string, text = predecessorsExample(name)) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const run = (...args: readonly string[]) => runCliHere(['import', ...args]);

describe('hsdo import', () => {
  it('prints the configuration, and says of what it is, what was taken over and which variables to set', async () => {
    const { code, stdout, stderr } = await run(fileOf('config-n1.dhaf'));
    expect(code).toBe(0);
    const env = {
      CLOUDFLARE_TOKEN: 't',
      SMTP_PASSWORD: 'p',
      TELEGRAM_TOKEN: '42:abcdef',
      TELEGRAM_JOIN_CODE: 'let-me-in',
    };
    expect(loadText(stdout, env)).toMatchObject({ services: [{ name: 'main' }] });
    expect(stdout).toContain('# It needs in its environment: CLOUDFLARE_TOKEN, SMTP_PASSWORD,');
    expect(stderr).toContain('config-n1.dhaf is a configuration of dhaf (it has dhaf, etcd, services).');
    expect(stderr).toMatch(/Taken over\n {2}\S+:3: dhaf.cluster-name -> cluster.name\n/);
    expect(stderr).toMatch(/Different in hsdo\n[\s\S]*tact-interval: a check starts every tact-interval/);
    expect(stderr).toMatch(/ {2}CLOUDFLARE_TOKEN: what stands at \S+:19 \(services\[0\].switcher.api-token\)/);
    expect(stdout + stderr).not.toMatch(/cloudflare-token-of-foo|pw-of-hsdo|right-token|let-me-in/);
  });

  it('writes a file, and never over one that is there unless it is told to', async () => {
    const [file, output] = [fileOf('har.conf'), join(folder, 'new.yaml')];
    const first = await run(file, '--output', output);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toContain(`Then: hsdo check-config --config ${output}`);
    expect(loadText(readFileSync(output, 'utf8'), {})).toMatchObject({ services: [{ domain: 'api.example.com' }] });
    writeFileSync(output, 'mine');
    const second = await run(file, '--output', output);
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toContain('is there already, expected --force');
    expect(readFileSync(output, 'utf8')).toBe('mine');
    expect((await run(file, '--output', output, '--force')).code).toBe(0);
    expect(readFileSync(output, 'utf8')).toContain('services:');
  });

  it('ends with 1 and marks what somebody has to decide', async () => {
    const text = predecessorsExample('pyfailoverdns.yaml').replace('token: "secret_token"', '');
    const { code, stdout, stderr } = await run(fileOf('no-token.yaml', text));
    expect(code).toBe(1);
    expect(loadText(stdout, { AGENT_TOKEN: 'a-new-one' })).toMatchObject({ services: [{ name: 'webmail' }] });
    expect(stderr).toMatch(/^! .*without a token anybody could report/m);
    expect(stderr).toContain('1 of these needs a decision: marked with !');
  });

  it('gives the report to programs', async () => {
    const { code, stdout, stderr } = await run(fileOf('hanoproxy.yaml'), '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout) as { text: string };
    const variables = [
      { name: 'SENTINEL_PASSWORD', place: expect.any(String), from: expect.stringContaining('Password') },
    ];
    expect(report).toMatchObject({ ok: true, kind: 'hanoproxy', faults: [], variables });
    expect(loadText(report.text, { SENTINEL_PASSWORD: 'x' })).toMatchObject({ dns: { domain: 'ha.local' } });
    expect(stdout).not.toContain('auth_pass');
  });

  it("says that HSDO's file and an agent's run as they are, and turns the first one when it is wanted", async () => {
    const file = fileOf('env.yaml', `${predecessorsExample('env.yaml')}API_TOKEN: token-of-the-api\n`);
    const asItIs = await run(file);
    expect(asItIs).toMatchObject({ code: 0, stdout: '' });
    expect(asItIs.stderr).toContain(`hsdo --server --config ${file}`);
    const nested = await run(file, '--nested');
    expect(nested.code).toBe(0);
    expect(nested.stdout).not.toContain('token-of-the-api');
    const config = loadText(nested.stdout, { API_TOKEN: 'token-of-the-api' });
    expect(JSON.stringify(config)).toBe(JSON.stringify(loadText(readFileSync(file, 'utf8'), {})));
    const agent = fileOf('agent_config.yaml');
    const { code, stdout, stderr } = await run(agent);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain(`hsdo --agent --config ${agent}`);
  });

  it('asks what a file is that may be of several kinds, and believes --from', async () => {
    const both = fileOf(
      'both.yaml',
      `${predecessorsExample('pyfailoverdns.yaml')}\n${predecessorsExample('hanoproxy.yaml')}`,
    );
    const { code, stderr } = await run(both);
    expect(code).toBe(2);
    expect(stderr).toMatch(/may be of several kinds; say which:\n {2}--from hanoproxy: .*\n {2}--from pyfailoverdns: /);
    const told = await run(both, '--from', 'pyfailoverdns');
    expect(told.code).toBe(0);
    expect(told.stderr).toContain("GlobalOptions: PyFailoverDNS's master has no such parameter");
    expect((await run(both, '--from', 'bind')).stderr).toContain('expected one of hsdo, hanoproxy, har,');
  });

  it('ends with 78 for what is no such configuration, with place, value and what was expected', async () => {
    const output = join(folder, 'never.yaml');
    const wrong = fileOf('wrong.dhaf', predecessorsExample('config-n1.dhaf').replace('192.0.2.10', 'nowhere'));
    const { code, stdout, stderr } = await run(wrong, '--output', output);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain(`${wrong}:14: services[0].entry-points[0].ip: "nowhere" is wrong: expected an IP address`);
    expect(existsSync(output)).toBe(false);
    for (const [text, expected] of [
      ['hello: world', 'expected a configuration of HSDO, HAnoProxY, har, PyFailoverDNS or dhaf'],
      ['', 'expected a configuration of HSDO'],
      ['name a {\n', 'har.conf: "the end of the file" is wrong: expected an option'],
      [`a: ${'['.repeat(1000)}`, 'nested deeper than 100 levels'],
      ['SERVER_MODE: aws\nINTERVL: 1', 'did you mean INTERVAL?'],
      ['SERVER_MODE: azure', 'SERVER_MODE: "azure" is wrong: expected one of aws, consul, file, dns'],
      ['agent_id: a\nservers: []', 'servers: [] is wrong: expected at least one server'],
    ] as const) {
      const found = await run(fileOf('odd.txt', text));
      expect([found.code, found.stdout], text).toEqual([78, '']);
      expect(found.stderr).toContain(expected);
    }
    expect((await run(join(folder, 'nobody.conf'))).code).toBe(78);
  });
});
