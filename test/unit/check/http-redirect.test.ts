import { afterEach, describe, expect, it } from 'vitest';
import {
  httpAnswer,
  httpCheck,
  httpTarget,
  probe,
  startWireServer,
  type WireServer,
} from '../../fixtures/http-probes.ts';

const servers: WireServer[] = [];

/** A server that sends `/` elsewhere with a code, and answers every other path with 200. */
async function redirecting(location: string, status = '302 Found', address = '127.0.0.1'): Promise<WireServer> {
  const server: WireServer = await startWireServer(
    (socket, request) => {
      const moved = httpAnswer(status, '', [`Location: ${location.replaceAll('PORT', String(server.port))}`]);
      socket.write(/^\S+ \/ /.test(request) ? moved : httpAnswer('200 OK'));
    },
    { address },
  );
  servers.push(server);
  return server;
}

const firstLines = (server: WireServer) => server.requests.map((request) => request.split('\r\n')[0]);

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

describe('an http check that meets a redirect', () => {
  it('takes it as the answer unless told to follow', async () => {
    const server = await redirecting('/in');
    const result = await probe(httpCheck(), httpTarget(server));
    expect(result).toMatchObject({ code: 'status' });
    expect(result.message).toContain('answered 302 (Found), expected 200');
  });

  it.each(['/in', 'in?a=1#b', '//127.0.0.1:PORT/in', 'http://127.0.0.1:PORT/in'])('follows %s', async (location) => {
    const server = await redirecting(location);
    const result = await probe(httpCheck({ followRedirects: true }), httpTarget(server));
    expect(result).toMatchObject({ code: 'ok' });
    expect(result.message).toBe(`GET http://127.0.0.1:${server.port}/in answered 200 (OK)`);
    expect(firstLines(server)[1]).toMatch(/^GET \/in(\?a=1)? HTTP\/1.1$/);
    expect(server.opened()).toBe(2);
  });

  it('stays at the target for the name that it asked for, whatever port is checked', async () => {
    const server = await redirecting('http://site.example/in');
    const check = httpCheck({ followRedirects: true, headers: { 'X-Token': 'geheim' } }, 'site.example');
    expect(await probe(check, httpTarget(server))).toMatchObject({ code: 'ok' });
    expect(server.requests[1]).toContain('Host: site.example\r\n');
    expect(server.requests[1]).toContain('X-Token: geheim\r\n');
  });

  it('goes to another port of the same name at the target, without the configured headers', async () => {
    const other = await redirecting('/');
    const server = await redirecting(`http://site.example:${other.port}/in`);
    const check = httpCheck({ followRedirects: true, headers: { 'X-Token': 'geheim' } }, 'site.example');
    expect(await probe(check, httpTarget(server))).toMatchObject({ code: 'ok' });
    expect(other.requests[0]).toContain(`Host: site.example:${other.port}\r\n`);
    expect(other.requests[0]).not.toContain('geheim');
  });

  it('does not go to another host', async () => {
    const other = await redirecting('/', '302 Found', '127.0.0.2');
    const server = await redirecting(`http://127.0.0.2:${other.port}/in`);
    const result = await probe(httpCheck({ followRedirects: true }), httpTarget(server));
    expect(result).toMatchObject({ result: 'down', code: 'redirect' });
    expect(result.message).toContain(`a redirect to another host, 127.0.0.2:${other.port} is not followed`);
    expect(other.opened()).toBe(0);
  });

  it('goes to another host when told so, without what may be a credential', async () => {
    const other = await redirecting('/', '302 Found', '127.0.0.2');
    const server = await redirecting(`http://127.0.0.2:${other.port}/in`);
    const options = { followRedirects: true, followToOtherHosts: true, headers: { Cookie: 'geheim' } };
    expect(await probe(httpCheck(options, 'site.example'), httpTarget(server))).toMatchObject({ code: 'ok' });
    expect(server.requests[0]).toContain('Cookie: geheim\r\n');
    expect(other.requests[0]).toContain(`Host: 127.0.0.2:${other.port}\r\n`);
    expect(other.requests[0]).not.toMatch(/cookie|geheim/i);
  });

  it.each([
    ['301 Moved Permanently', 'POST', 'GET', ''],
    ['302 Found', 'HEAD', 'HEAD', ''],
    ['303 See Other', 'POST', 'GET', ''],
    ['307 Temporary Redirect', 'POST', 'POST', 'ping'],
    ['308 Permanent Redirect', 'POST', 'POST', 'ping'],
  ])('on %s turns %s into %s with the body "%s"', async (status, method, next, body) => {
    const server = await redirecting('/in', status);
    const options = { followRedirects: true, method, ...(method === 'POST' ? { body: 'ping' } : {}) };
    expect(await probe(httpCheck(options), httpTarget(server))).toMatchObject({ code: 'ok' });
    expect(firstLines(server)[1]).toBe(`${next} /in HTTP/1.1`);
    expect(server.requests[1]?.split('\r\n\r\n')[1]).toBe(body);
  });

  it('does not carry a body to another host', async () => {
    const server = await redirecting('http://127.0.0.2:9/in', '307 Temporary Redirect');
    const options = { followRedirects: true, followToOtherHosts: true, method: 'POST', body: 'geheim' };
    const result = await probe(httpCheck(options), httpTarget(server));
    expect(result).toMatchObject({ code: 'redirect' });
    expect(result.message).toContain('that would carry the body to another server');
  });

  it.each(['ftp://127.0.0.1/', 'javascript:alert(1)', 'http://[', 'file:///etc/passwd'])(
    'refuses %s',
    async (location) => {
      const server = await redirecting(location);
      const options = { followRedirects: true, followToOtherHosts: true };
      expect(await probe(httpCheck(options), httpTarget(server))).toMatchObject({ result: 'down', code: 'redirect' });
    },
  );

  it('takes a redirect without a place as the answer', async () => {
    const server = await startWireServer(httpAnswer('302 Found'));
    servers.push(server);
    const options = { followRedirects: true, expectedCodes: '302' };
    expect(await probe(httpCheck(options), httpTarget(server))).toMatchObject({ code: 'ok' });
  });

  it('gives up a loop after five', async () => {
    const server = await redirecting('/');
    const result = await probe(httpCheck({ followRedirects: true }), httpTarget(server));
    expect(result).toMatchObject({ result: 'down', code: 'redirect' });
    expect(result.message).toContain('expected at most 5 redirects');
    expect(server.opened()).toBe(6);
  });
});
