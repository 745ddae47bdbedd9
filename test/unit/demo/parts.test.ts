import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort, takeDnsPort } from '../../../src/demo/free-port.ts';
import { findHaproxy } from '../../../src/demo/haproxy-program.ts';
import { startLoad } from '../../../src/demo/load.ts';
import { createRates } from '../../../src/demo/rates.ts';
import { haproxyConfigText, placesIn } from '../../../src/demo/settings.ts';
import { openTargets } from '../../../src/demo/targets.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { until } from '../../fixtures/until.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function answering(status: number, name: string): Promise<string> {
  const server: Server = createServer((_, response) => response.writeHead(status, { 'x-target': name }).end('x'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`;
}

describe('the load of the demo', () => {
  it.each([
    ['serves what an allowed target answers with 200', 200, 'web-1', undefined],
    [
      'fails an answer of a target that should get nothing',
      200,
      'web-2',
      'web-2 answered; it should not get requests now',
    ],
    ['fails every other status', 503, 'web-1', 'web-1 answered 503; expected 200'],
    ['fails what HAProxy answers itself', 503, '', 'HAProxy itself answered 503; expected 200'],
  ])('%s', async (_, status, name, failure) => {
    const url = await answering(status, name);
    const load = startLoad({ url, mayServe: (target) => target === 'web-1', clock: systemClock });
    endings.push(() => load.stop());
    await until('24 requests', () => load.count().served + load.count().failed >= 24);
    const { served, failed, failures } = load.count();
    expect(failure === undefined ? failed : served).toBe(0);
    expect(failures[0]).toBe(failure);
  });
});

describe('the targets of the demo', () => {
  it('are told to hsdo in a file that is replaced in one step, and answer with their names', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-targets-'));
    endings.push(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'targets.yaml');
    const targets = await openTargets(2, path);
    endings.push(() => targets.close());
    expect(await readFile(path, 'utf8')).toBe('[]\n');
    await targets.list(['web-2']);
    const { address, port } = targets.named('web-2');
    expect(await readFile(path, 'utf8')).toBe(`- { name: web-2, address: ${address}, port: ${port} }\n`);
    expect(await (await fetch(`http://${address}:${port}/`)).text()).toBe('web-2 answers\n');
    expect(targets.named('web-2').requests()).toBe(1);
  });

  it('refuse connections after a crash and answer again after the repair', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-targets-'));
    endings.push(() => rm(folder, { recursive: true, force: true }));
    const targets = await openTargets(1, join(folder, 'targets.yaml'));
    endings.push(() => targets.close());
    const target = targets.named('web-1');
    const url = `http://${target.address}:${target.port}/health`;
    target.crash();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
    await target.repair();
    target.setReady(false);
    expect((await fetch(url)).status).toBe(503);
  });
});

describe('the port of DNS in the demo', () => {
  const [host, claimHost] = ['127.77.1.1', '127.77.1.2'];
  const take = (usual: number) => takeDnsPort(usual, host, claimHost);

  it('is the usual one, for one demo at a time, from the moment that it is chosen', async () => {
    const usual = await freePort(host);
    const one = await take(usual);
    const other = await take(usual);
    expect(one.port).toBe(usual);
    expect(other.port).not.toBe(usual);
    await other.release();
    await one.release();
    const next = await take(usual);
    expect(next.port).toBe(usual);
    await next.release();
  });

  it('is another one where somebody answers at the usual one already, by UDP or by TCP', async () => {
    const usual = await freePort(host);
    const udp = createSocket('udp4').bind(usual, host);
    await once(udp, 'listening');
    expect((await take(usual)).port).not.toBe(usual);
    udp.close();
    const tcp = createTcpServer().listen(usual, host);
    await once(tcp, 'listening');
    endings.push(() => tcp.close());
    expect((await take(usual)).port).not.toBe(usual);
  });
});

describe('the rates of the demo', () => {
  it('are what a counter grew by in the last second', () => {
    const rates = createRates();
    expect(rates.of('a')).toBe(0);
    for (const atMs of [0, 500, 1000, 1500, 2000]) rates.sample(atMs, new Map([['a', atMs < 1000 ? 0 : atMs / 10]]));
    expect(rates.of('a')).toBe(100);
    expect(rates.of('b')).toBe(0);
  });
});

describe('the HAProxy of the demo', () => {
  it('is found in a folder of programs; without it the message says how to get it', () => {
    expect(() => findHaproxy(['', '/nonexistent'])).toThrow(/haproxy is not installed.*apt-get install haproxy/);
  });

  it('repeats requests that a dying target did not answer, or the demo does not begin', () => {
    const places = placesIn('/tmp/demo', { api: 1, frontend: 2, page: 3, dns: 4 });
    const text = haproxyConfigText('defaults\n    retry-on conn-failure\nbackend web\n', places);
    expect(text).toContain('\n    retry-on conn-failure empty-response\n');
    expect(text).toContain('bind 127.0.0.1:3\n');
    expect(() => haproxyConfigText('defaults\n', places)).toThrow(/retry-on conn-failure/);
  });
});
