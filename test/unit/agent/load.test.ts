import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAgentConfig } from '../../../src/agent/load.ts';
import { showFault } from '../../../src/config/fault.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-agent-load-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(text: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'agent.yaml');
  await writeFile(file, text);
  const { config, faults } = loadAgentConfig({ file, env });
  return { config, faults: faults.map((fault) => showFault(fault).replace(`${folder}/`, '')) };
}

const pyFailoverDns = `agent_id: example

servers:
  - name: server1
    url: http://server_ip_or_dns:8000
    token: "secret_token"
    tags:
      - test
`;

describe('the configuration of an agent', () => {
  it('is the file of PyFailoverDNS’s agent, with defaults for all that it does not know', async () => {
    const { config, faults } = await load(pyFailoverDns);
    expect(faults).toEqual([]);
    expect(config).toMatchObject({
      agent_id: 'example',
      servers: [{ name: 'server1', url: 'http://server_ip_or_dns:8000', tags: ['test'] }],
      checks: { concurrency: 256 },
      tasksSeconds: 30,
      batchSeconds: 1,
      maxUnsent: 10_000,
      allowExec: false,
      exporter: { listen: 'off' },
      log: { level: 'info', format: 'auto' },
    });
    expect(config?.servers[0]?.token?.reveal()).toBe('secret_token');
    expect(JSON.stringify(config)).not.toContain('secret_token');
  });

  it('takes conf/agent.yaml, also once its comments are taken away', async () => {
    const file = fileURLToPath(new URL('../../../conf/agent.yaml', import.meta.url));
    expect(loadAgentConfig({ file, env: {} }).faults).toEqual([]);
    const filled = (await readFile(file, 'utf8')).replaceAll(/^# (?=[A-Za-z]+: [^h])/gm, '');
    const { config, faults } = await load(filled);
    expect(faults).toEqual([]);
    expect(config?.exporter.listen).toBe('0.0.0.0:6789');
  });

  it('takes tags as one text and token from the environment or a file', async () => {
    await writeFile(join(folder, 'token'), 'from-a-file\n');
    const { config, faults } = await load(
      `agent_id: a
servers:
  - { name: one, url: "https://one/under/this/", token: { env: AGENT_TOKEN }, tags: "eu gcp,north" }
  - { name: two, url: "http://two", token: { file: ${folder}/token } }`,
      { AGENT_TOKEN: 'from-the-environment' },
    );
    expect(faults).toEqual([]);
    expect(config?.servers.map(({ tags, token }) => [tags, token?.reveal()])).toEqual([
      [['eu', 'gcp', 'north'], 'from-the-environment'],
      [[], 'from-a-file'],
    ]);
  });

  it('keeps names and tokens that look like numbers as they are written', async () => {
    const { config, faults } = await load(
      'agent_id: 007\nservers:\n  - { name: 1.10, url: "http://a", token: 0012345, tags: [1e3, 010] }\n',
    );
    expect(faults).toEqual([]);
    expect(config?.agent_id).toBe('007');
    expect(config?.servers[0]).toMatchObject({ name: '1.10', tags: ['1e3', '010'] });
    expect(config?.servers[0]?.token?.reveal()).toBe('0012345');
  });

  it('says every fault at once, with place and suggestion, and shows no token', async () => {
    const { faults } = await load(`agent_id: two words
server: []
servers:
  - { name: one, url: "ftp://a", token: "with\\nbreak", tags: [a b] }
  - { name: two, url: "http://user:pw@b", tokn: x }
batchSeconds: soon
maxUnsent: 0
exporter: { lisen: off, token: short, tls: { cert: a.pem } }
`);
    expect(faults).toEqual([
      'agent.yaml:1: agent_id: "two words" is wrong: expected 1 to 128 of A-Z a-z 0-9 _ . : -',
      'agent.yaml:4: servers[0].url: "ftp://a" is wrong: expected an http:// or https:// URL',
      'agent.yaml:4: servers[0].token: *** is wrong: expected printable ASCII letters',
      'agent.yaml:4: servers[0].tags[0]: "a b" is wrong: expected a tag of 1 to 64 letters without spaces and commas',
      'agent.yaml:5: servers[1].url: "http://***@b" is wrong: expected a URL without user, password, ? and #: what proves who asks is the token',
      'agent.yaml:5: servers[1].tokn: no such parameter; did you mean token?',
      'agent.yaml:6: batchSeconds: "soon" is wrong: expected number, received string',
      'agent.yaml:7: maxUnsent: 0 is wrong: expected number to be >=1',
      'agent.yaml:8: exporter.token: *** is wrong: expected at least 8 characters',
      'agent.yaml:8: exporter.tls.key: missing: expected string',
      'agent.yaml:8: exporter.lisen: no such parameter; did you mean listen?',
      'agent.yaml:2: server: no such parameter; did you mean servers?',
    ]);
  });

  it('wants each name of a server once, since metrics and messages tell them apart by it', async () => {
    const { faults } = await load(
      'agent_id: a\nservers: [{ name: x, url: "http://a" }, { name: x, url: "http://b" }]\n',
    );
    expect(faults).toEqual(['agent.yaml:2: servers[1].name: "x" is wrong: expected each name once']);
  });

  it.each([
    [
      '',
      [
        'agent.yaml: agent_id: missing: expected string',
        'agent.yaml: servers: missing: expected a list of servers, each with name, url, token and tags',
      ],
    ],
    ['- a\n', ['agent.yaml: file: expected a map of parameters at the top level']],
    ['agent_id: a\nservers: []\n', ['agent.yaml:2: servers: [] is wrong: expected at least one server']],
  ])('says what is missing in %j', async (text, expected) => {
    expect((await load(text)).faults).toEqual(expected);
  });

  it('says that a file is needed where none is named and there is none of the usual name', () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(loadAgentConfig({ env: {} }).faults[0]?.expected).toContain('expected --config FILE');
    } finally {
      process.chdir(before);
    }
  });

  it('says a secret that is not there by the name of its place', async () => {
    const { faults } = await load('agent_id: a\nservers: [{ name: x, url: "http://a", token: { env: NOT_SET } }]\n');
    expect(faults).toEqual([
      'agent.yaml:2: servers[0].token: expected a secret there: NOT_SET is not set in the environment',
    ]);
  });
});
