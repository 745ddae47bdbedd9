import { copyFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cloudflare, startCloudflare } from '../fixtures/cloudflare.ts';
import { describeWith } from '../fixtures/component.ts';
import { linesRunBy, runBy, shapeOf, transcriptBelow } from '../fixtures/documents.ts';
import { freePort } from '../fixtures/ports.ts';
import { openShell, type Shell } from '../fixtures/shell.ts';

/*
 * What the documents tell operators to type, typed beside a cluster that has what they name: services web, shop, db and
 * main, a HAProxy, an entry point, and a server n3 that was killed.
 */
let shell: Shell;
let cloudflare: Cloudflare;
const webServers: Server[] = [];

const backends = ['web', 'shop', 'db', 'main'];
const socket = '/tmp/hsdo-haproxy.sock';
const agentToken = 'secret-of-the-agents';
const agentFile = { agent_id: 'berlin-1', servers: [{ name: 'one', url: 'http://127.0.0.1:8002', token: agentToken }] };

/** A web server for each target of the transcript: two are well, the third answers 503. */
async function startWebServers(port: number): Promise<void> {
  for (const [index, code] of [200, 200, 503].entries()) {
    const server = createServer((_, response) => response.writeHead(code).end());
    await new Promise<void>((resolve) => server.listen(port, `127.0.0.${index + 1}`, resolve));
    webServers.push(server);
  }
}

const list = (port: number, names: readonly string[]) =>
  names.map((name) => `- { name: ${name}, address: 127.0.0.${name.at(-1)}, port: ${port} }`).join('\n');

function configFor(closedPort: number) {
  const passive = { kind: 'active-passive', failbackSeconds: 1 };
  const quick = { intervalSeconds: 0.2, timeoutSeconds: 1 };
  const of = (name: string, rest: object) => ({
    name,
    haproxy: { backends: [{ name, baseName: name }], sockets: [socket], stateFile: '/tmp/hsdo-haproxy.state' },
    ...rest,
  });
  const pair = (name: string) =>
    [1, 2].map((n) => ({ name: `${name}-${n}`, address: `127.0.0.${n}`, port: closedPort }));
  const source = (name: string) => ({ kind: 'static', targets: pair(name) });
  const web = {
    source: { kind: 'file', path: 'web.yaml' },
    check: { kind: 'http', ...quick },
    select: passive,
    guard: { confirmReads: 0 },
    agents: { token: agentToken },
  };
  const db = { source: source('db'), check: { kind: 'postgres', role: 'primary', user: 'checker', ...quick } };
  const cloud = { kind: 'cloudflare', apiToken: cloudflare.token, zone: 'foo.com', baseUrl: cloudflare.baseUrl };
  const main = { source: source('ep'), domain: 'foo.com', switch: cloud };
  const services = [
    of('web', web),
    of('shop', { source: source('shop'), select: passive }),
    of('db', db),
    of('main', main),
  ];
  return {
    services,
    api: { agents: { listen: '127.0.0.1:8002' } },
    dns: { listen: ['127.0.0.1:8053'], domain: 'ha.example' },
    checks: { firstWaitSeconds: 1 },
    cluster: { heartbeatSeconds: 0.2, nodeTtlSeconds: 1 },
    intervalSeconds: 0.1,
    log: { level: 'info' },
  };
}

/** HAProxy's configuration as `hsdo haproxy-config` prints it for web, with the backends of the others beside it. */
const others = backends
  .slice(1)
  .map(
    (name) =>
      `backend ${name}\n    server-template ${name} 1-10 hsdo-slot.invalid:80 check disabled init-addr last,127.0.0.2`,
  )
  .join('\n')
  .concat('\n');

/** Starts a second server and kills it once it is known, so that it is silent for good. */
const strayServer = [
  'NODE_ID=n3 API_LISTEN=off EXPORTER_PORT=0 hsdo --server --config conf/env.yaml > n3.log 2>&1 &',
  'until hsdo nodes | grep -q n3; do :; done; kill -9 $!',
].join(' ');

/** Most of the targets of web are gone from its source: the guard holds them. */
async function holdWeb(port: number): Promise<string> {
  shell.write('web.yaml', list(port, ['web-3']));
  const said = await shell.type('hsdo status', { says: /hsdo release web \S+/ });
  return /hsdo release web (\S+)/.exec(said)?.[1] ?? '';
}

let webPort = 0;

beforeAll(async () => {
  shell = await openShell({ NODE_ID: 'n1' });
  cloudflare = await startCloudflare('foo.com');
  webPort = await freePort();
  await startWebServers(webPort);
  copyFileSync(join(shell.folder, 'conf/examples/import/har.conf'), join(shell.folder, 'har.conf'));
  shell.write('web.yaml', list(webPort, ['web-1', 'web-2', 'web-3']));
  shell.write('conf/env.yaml', JSON.stringify(configFor(await freePort())));
  shell.write('others.cfg', others);
  shell.write('agent.yaml', JSON.stringify(agentFile));
  await shell.type(
    'hsdo haproxy-config --service web --bind 127.0.0.1:8000 > haproxy.cfg && cat others.cfg >> haproxy.cfg',
  );
  await shell.type('hsdo --server --client --dns --config conf/env.yaml');
  await shell.type('haproxy -W -f haproxy.cfg');
});
afterAll(async () => {
  await shell?.remove();
  await cloudflare?.stop();
  for (const server of webServers) server.close();
});

/** What must be there before a line is typed, and what is wanted of it; else that it ends with 0. */
async function wantedOf(line: string): Promise<{ line: string; says?: RegExp; code?: number }> {
  if (line.startsWith('hsdo release web ')) return { line: `hsdo release web ${await holdWeb(webPort)}` };
  if (line === 'hsdo decommission n3') {
    await shell.type(strayServer);
    return { line, says: /n3/ };
  }
  // That it forgets them is shown in roles-postgres.test.ts; here there was none yet.
  if (line === 'hsdo forget-primary db') return { line, code: 1, says: /"db": it remembers none/ };
  if (line === 'hsdo status --json --exit-code') return { line, code: 3, says: /"problems"/ };
  const says: Readonly<Record<string, RegExp>> = {
    'hsdo status': /\nweb +\S+ .*\n/,
    'hsdo service web': /\n1 +web-1 .*up.*\n2 +web-2 .*up, standby.*\n3 +web-3 .*down \(status\), new/,
    'hsdo slots web --all': /web-3[\s\S]*\n10 +free/,
    'hsdo switchover shop shop-2': /^done: shop points at shop-2/,
    'hsdo check-config --print': /"services": \[/,
    'hsdo doctor --config conf/env.yaml': /\n0 faults/,
    'hsdo doctor --client --config conf/env.yaml': /\n0 faults/,
    'hsdo doctor --agent --config agent.yaml': /\n0 faults/,
  };
  return { line, ...(says[line] === undefined ? {} : { says: says[line] }) };
}

/** The transcript of one service first: later a second server has a vote, too. */
const places = [...(runBy['operating'] ?? [])].reverse();
const typed = places.flatMap((place) =>
  linesRunBy('operating').filter(({ at, chapter }) => `${at.split(':')[0]}#${chapter}` === place),
);

describeWith(['haproxy'], 'what the documents tell operators to type', () => {
  it.each(typed.map(({ at, line }) => [at, line]))('works as it stands: %s: %s', async (at, asWritten) => {
    const { line, ...wanted } = await wantedOf(asWritten);
    const shapes = (await shell.type(line, wanted)).split('\n').map(shapeOf);
    for (const expected of transcriptBelow(at)) expect(shapes, `${at} ${expected}`).toContainEqual(shapeOf(expected));
  });
});
