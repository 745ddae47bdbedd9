import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { type AgentServerStandIn, startAgentServer } from '../fixtures/agent-server.ts';
import { runCliHere } from '../fixtures/cli.ts';
import { freePort } from '../fixtures/ports.ts';

let folder: string;
let server: AgentServerStandIn;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-doctor-agent-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  server = await startAgentServer();
});
afterEach(() => server.close());

const token = 'token-of-the-agent';

/** What the doctor finds for an agent with these servers. */
async function examineWith(servers: readonly object[], more: object = {}) {
  const file = join(folder, 'agent.yaml');
  await writeFile(file, JSON.stringify({ agent_id: 'a', servers, ...more }));
  const { code, stdout } = await runCliHere(['doctor', '--agent', '--json', '--config', file]);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  const of = (about: string) => findings.filter((one) => one.about.includes(about));
  return { code, stdout, of, findings };
}
const one = (options: object = {}) => ({ name: 'one', url: server.url, token, tags: ['eu', 'a&b'], ...options });

describe('hsdo doctor for an agent', () => {
  it('asks every server for tasks as the agent does, compares clocks, and reports nothing', async () => {
    server.tasks = [{ check_name: 'web' }];
    const { code, of, stdout } = await examineWith([one()], { exporter: { listen: `127.0.0.1:${await freePort()}` } });
    expect(code).toBe(0);
    expect(of('configuration')).toMatchObject([{ state: 'ok', says: 'fine: an agent of 1 server' }]);
    expect(of(`server "one" at ${server.url}`)).toMatchObject([
      { state: 'ok', says: 'takes the token, and has 1 task' },
    ]);
    expect(of('clock against server "one"')).toMatchObject([{ state: 'ok' }]);
    expect(of('exporter at')).toMatchObject([{ state: 'ok', says: 'free' }]);
    expect(of('Node.js')).toHaveLength(1);
    expect(server.asked).toMatchObject([{ method: 'GET', path: '/api/v1/tasks?tags=eu,a%26b', token }]);
    expect(stdout).not.toContain(token);
  });

  it('tells a token that is refused, no tasks, a server that cannot tell yet, and a wrong address apart', async () => {
    const empty = await examineWith([one()]);
    expect([empty.code, empty.of('server "one"')[0]]).toMatchObject([
      0,
      { state: 'warning', says: 'answers, and has no tasks for the tags eu, a&b' },
    ]);
    const said = async (status: number, body: unknown, headers = {}) => {
      server.answer = () => ({ status, body, headers });
      const { of } = await examineWith([one()]);
      return of('server "one"')[0];
    };
    expect(await said(403, { detail: `${token} is no token` })).toMatchObject({
      state: 'fault',
      says: 'refuses the token: 403: *** is no token',
      remedy: expect.stringContaining('agents.token'),
    });
    expect(await said(503, { detail: 'the targets are not known yet' })).toMatchObject({
      state: 'warning',
      says: 'answers, but not now: 503: the targets are not known yet',
    });
    const wrong = { state: 'fault', remedy: expect.stringContaining('servers[].url') };
    expect(await said(404, { detail: 'Not Found' })).toMatchObject({ ...wrong, says: 'answers 404: Not Found' });
    expect(await said(200, '<html>')).toMatchObject({ ...wrong, says: 'answers 200, which is no list of tasks' });
    expect(await said(302, '', { location: 'http://127.0.0.1:1/' })).toMatchObject({ ...wrong, says: 'answers 302' });
  });

  it('says of each server that is away what it is', async () => {
    const away = `http://127.0.0.1:${await freePort()}`;
    server.tasks = [{}, {}];
    const { code, of } = await examineWith([one(), one({ name: 'two', url: away, token: undefined })]);
    expect(code).toBe(1);
    expect(of('server "one"')[0]).toMatchObject({ state: 'ok', says: 'takes the token, and has 2 tasks' });
    expect(of('server "two"')).toMatchObject([
      {
        state: 'fault',
        says: expect.stringContaining('ECONNREFUSED'),
        remedy: expect.stringContaining('nothing listens'),
      },
    ]);
  });

  it('notices a clock that is off', async () => {
    const late = createServer((_, response) => {
      response.setHeader('date', new Date(Date.now() - 60_000).toUTCString());
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ tasks: [{}] }));
    });
    await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = late.address() as { port: number };
      const { code, of } = await examineWith([one({ url: `http://127.0.0.1:${port}` })]);
      expect(code).toBe(0);
      expect(of('clock against')).toMatchObject([
        { state: 'warning', says: expect.stringMatching(/^this machine is \d+ s ahead: servers of hsdo go by/) },
      ]);
    } finally {
      late.closeAllConnections();
      await new Promise((resolve) => late.close(resolve));
    }
  });

  it('says what is wrong with the file, and looks at the machine all the same', async () => {
    const { code, of } = await examineWith([{ name: 'one' }]);
    expect(code).toBe(1);
    expect(of('configuration')).toMatchObject([
      { state: 'fault', says: expect.stringContaining('servers[0].url'), remedy: expect.stringContaining('--agent') },
    ]);
    expect(of('Node.js')).toHaveLength(1);
  });
});
