import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  httpAnswer,
  httpCheck,
  httpTarget,
  probe,
  startWireServer,
  type WireServer,
} from '../../fixtures/http-probes.ts';
import { freePort } from '../../fixtures/ports.ts';

const servers: { stop(): Promise<void> }[] = [];

async function wire(...args: Parameters<typeof startWireServer>): Promise<WireServer> {
  const server = await startWireServer(...args);
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

const ok = httpAnswer('200 OK', 'All is WELL here');

/** What the server saw of one probe with these options. */
async function requestOf(options: Readonly<Record<string, unknown>>, domain?: string): Promise<readonly string[]> {
  const server = await wire(ok);
  await probe(httpCheck(options, domain), httpTarget(server));
  return (server.requests[0] ?? '').replaceAll(String(server.port), 'PORT').split('\r\n');
}

describe('an http check', () => {
  it('passes on 200 and says how long it took to connect and to answer', async () => {
    const server = await wire(ok);
    const result = await probe(httpCheck(), httpTarget(server));
    expect(result).toMatchObject({ result: 'up', code: 'ok' });
    expect(result.message).toBe(`GET http://127.0.0.1:${server.port}/ answered 200 (OK)`);
    expect(result.connectMs).toBeGreaterThan(0);
    expect(result.totalMs).toBeGreaterThanOrEqual(result.connectMs ?? Number.NaN);
  });

  it('measures the connection apart from the answer', async () => {
    const server = await wire((socket) => setTimeout(() => socket.write(ok), 300));
    const { connectMs = Number.NaN, totalMs = Number.NaN } = await probe(httpCheck(), httpTarget(server));
    expect(totalMs - connectMs).toBeGreaterThan(250);
  });

  it('asks as configured', async () => {
    const asked = await requestOf({
      method: 'POST',
      path: '/health?deep=1',
      body: 'ping',
      headers: { 'X-Token': 'geheim', 'user-agent': 'probe', 'X-Number': 5 },
    });
    expect(asked[0]).toBe('POST /health?deep=1 HTTP/1.1');
    expect(asked.slice(1, -2).sort()).toEqual([
      'Accept-Encoding: identity',
      'Accept: */*',
      'Connection: close',
      'Content-Length: 4',
      'Content-Type: text/plain; charset=utf-8',
      'Host: 127.0.0.1:PORT',
      'X-Number: 5',
      'X-Token: geheim',
      'user-agent: probe',
    ]);
    expect(asked.at(-1)).toBe('ping');
  });

  it.each([
    ['the domain of the service', {}, 'site.example', 'Host: site.example'],
    [
      'a Host of the headers before it',
      { headers: { HOST: 'own.example:81' } },
      'site.example',
      'Host: own.example:81',
    ],
    [
      'the address where the domain is not to be sent',
      { forwardDomain: false },
      'site.example',
      'Host: 127.0.0.1:PORT',
    ],
  ])('names %s as Host', async (_, options, domain, host) => {
    expect((await requestOf(options, domain)).filter((line) => /^host:/i.test(line))).toEqual([host]);
  });

  it('refuses a domain that cannot be a Host', () => {
    expect(() => httpCheck({}, 'a\r\nX-Evil: 1')).toThrow(/Cannot send the domain "a\\r\\nX-Evil: 1" as Host/);
  });

  it('passes on a HEAD that announces a body', async () => {
    const server = await wire('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n');
    expect(await probe(httpCheck({ method: 'HEAD' }), httpTarget(server))).toMatchObject({ code: 'ok' });
  });

  it.each([
    ['204 No Content', '2XX', 'ok'],
    ['503 Busy', '200', 'status'],
    ['302 Found', '200,3XX', 'ok'],
    ['404 Not Found', 'X04', 'ok'],
  ])('judges %s with %s expected as %s', async (status, expectedCodes, code) => {
    const server = await wire(httpAnswer(status));
    expect(await probe(httpCheck({ expectedCodes }), httpTarget(server))).toMatchObject({ code });
  });

  it('names the code that came and the one that was expected, and not the query', async () => {
    const server = await wire(httpAnswer('503 Too\x1b[31m\x80 busy'));
    const { message } = await probe(httpCheck({ path: '/health?token=geheim' }), httpTarget(server));
    expect(message).toBe(`GET http://127.0.0.1:${server.port}/health answered 503 (Too?[31m? busy), expected 200`);
  });

  it.each([
    ['well', 'ok'],
    ['ALL is', 'ok'],
    ['wellness', 'body'],
  ])('looks for the text "%s" without regard to case: %s', async (expectedBody, code) => {
    const server = await wire(ok);
    expect(await probe(httpCheck({ expectedBody }), httpTarget(server))).toMatchObject({ code });
  });

  it('reads a body in the character set that it is in, and in pieces', async () => {
    const type = 'Content-Type: text/plain; charset=ISO-8859-1';
    const chunks = ['Transfer-Encoding: chunked', type];
    const server = await wire(httpAnswer('200 OK', '2\r\nGr\r\n1\r\n\xfc\r\n1\r\nn\r\n0\r\n\r\n', chunks));
    expect(await probe(httpCheck({ expectedBody: 'GRÜN' }), httpTarget(server))).toMatchObject({ code: 'ok' });
    const odd = await wire(httpAnswer('200 OK', 'green', ['Content-Type: text/plain; charset=klingon']));
    expect(await probe(httpCheck({ expectedBody: 'green' }), httpTarget(odd))).toMatchObject({ code: 'ok' });
  });

  it('looks for the text in the part of the body that it may read', async () => {
    const server = await wire(httpAnswer('200 OK', `${'a'.repeat(90)}needle`));
    const late = await probe(httpCheck({ expectedBody: 'needle', maxBodyBytes: 94 }), httpTarget(server));
    expect(late).toMatchObject({ result: 'down', code: 'body' });
    expect(late.message).toContain('answered 200 (OK) and 94 bytes, expected the text "needle"');
    const enough = httpCheck({ expectedBody: 'needle', maxBodyBytes: 96 });
    expect(await probe(enough, httpTarget(server))).toMatchObject({ code: 'ok' });
  });

  it('takes the port of the check before that of the target', async () => {
    const server = await wire(ok);
    const elsewhere = { address: server.address, port: await freePort(server.address) };
    expect(await probe(httpCheck({ port: server.port }), httpTarget(elsewhere))).toMatchObject({ code: 'ok' });
    expect(await probe(httpCheck(), httpTarget(elsewhere))).toMatchObject({ result: 'down', code: 'refused' });
  });

  it('gives a target a port and path of its own, by id, name or address', async () => {
    const server = await wire(ok);
    for (const key of ['id-web-1', 'web-1', server.address]) {
      const check = httpCheck({ targets: { [key]: { port: server.port, path: `/${key}` } } });
      expect(await probe(check, httpTarget({ address: server.address, port: 9 }))).toMatchObject({ code: 'ok' });
      expect(server.requests.at(-1)).toContain(`GET /${key} HTTP/1.1`);
    }
  });

  it('asks the URL of a target where that points to, whatever address the target has', async () => {
    const server = await wire(ok);
    const check = httpCheck(
      { targets: { 'web-1': { url: `http://localhost:${server.port}/up?a=1` } } },
      'site.example',
    );
    expect(await probe(check, httpTarget({ address: '192.0.2.1', port: 9 }))).toMatchObject({ code: 'ok' });
    expect(server.requests[0]).toMatch(/^GET \/up\?a=1 HTTP/);
    expect(server.requests[0]).toContain(`Host: localhost:${server.port}\r\n`);
  });

  it('asks targets with IPv6 addresses', async () => {
    const server = await wire(ok, { address: '::1' });
    const result = await probe(httpCheck(), httpTarget(server));
    expect(result).toMatchObject({ code: 'ok', message: `GET http://[::1]:${server.port}/ answered 200 (OK)` });
    expect(server.requests[0]).toContain(`Host: [::1]:${server.port}\r\n`);
  });

  it('says that a name has no address', async () => {
    const check = httpCheck({ targets: { 'web-1': { url: `http://${'a'.repeat(64)}.invalid/` } } });
    expect(await probe(check, httpTarget({ address: '127.0.0.1' }))).toMatchObject({ result: 'down', code: 'dns' });
  });

  it('opens a connection for every probe and asks many targets at once', async () => {
    const answered: Socket[] = [];
    const server: Server = createServer((request, response) => {
      answered.push(request.socket);
      response.end('fine');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const check = httpCheck();
    const probes = Array.from({ length: 50 }, (_, n) =>
      probe(check, httpTarget({ address: '127.0.0.1', port }, `web-${n}`)),
    );
    expect((await Promise.all(probes)).every(({ code }) => code === 'ok')).toBe(true);
    expect(new Set(answered).size).toBe(50);
    await new Promise((resolve) => server.close(resolve));
  });
});
