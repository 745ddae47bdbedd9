import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Certificates, type KeyPair, makeCertificates } from '../../fixtures/certificates.ts';
import { describeWith } from '../../fixtures/component.ts';
import {
  httpAnswer,
  httpCheck,
  httpTarget,
  probe,
  startWireServer,
  type WireServer,
} from '../../fixtures/http-probes.ts';
import { until } from '../../fixtures/until.ts';

const ok = httpAnswer('200 OK', 'fine');

describeWith(['openssl'], 'an http check over TLS', () => {
  let certificates: Certificates;
  const servers: WireServer[] = [];

  const serve = async (tls: KeyPair | undefined, address = '127.0.0.1') => {
    const server = await startWireServer(ok, { address, ...(tls ? { tls } : {}) });
    servers.push(server);
    return server;
  };
  const check = (options: object = {}, domain: string | undefined = 'web.test') =>
    httpCheck({ scheme: 'https', ca: certificates.caFile, ...options }, domain);

  beforeAll(async () => {
    certificates = await makeCertificates();
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  afterAll(() => certificates.remove());

  it('passes with a certificate of its own authority, and sends the Host as server name', async () => {
    const server = await serve(certificates.good);
    const result = await probe(check(), httpTarget(server));
    expect(result).toMatchObject({ code: 'ok', message: `GET https://127.0.0.1:${server.port}/ answered 200 (OK)` });
    expect(result.totalMs).toBeGreaterThan(result.connectMs ?? Number.NaN);
    expect(server.serverNames).toEqual(['web.test']);
    expect(server.requests[0]).toContain('Host: web.test\r\n');
  });

  it.each(['127.0.0.1', '::1'])(
    'holds the certificate against the address %s where there is no name',
    async (address) => {
      const server = await serve(certificates.good, address);
      expect(await probe(check({ forwardDomain: false }), httpTarget(server))).toMatchObject({ code: 'ok' });
      expect(server.serverNames).toEqual([undefined]);
      const other = await serve(certificates.wrongName, address);
      expect(await probe(check({ forwardDomain: false }), httpTarget(other))).toMatchObject({ code: 'tls' });
    },
  );

  it('sends the configured server name, and wants the certificate to be for it', async () => {
    const server = await serve(certificates.wrongName);
    expect(await probe(check({ serverName: 'other.test' }), httpTarget(server))).toMatchObject({ code: 'ok' });
    expect(server.serverNames).toEqual(['other.test']);
  });

  it.each([
    ['wrongName', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['selfSigned', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const)('refuses a certificate that is %s, sends nothing, and says why', async (kind, reason) => {
    const server = await serve(certificates[kind]);
    const result = await probe(check({ headers: { Authorization: 'geheim' } }), httpTarget(server));
    expect(result).toMatchObject({ result: 'down', code: 'tls' });
    expect(result.message).toContain(reason);
    expect(result.connectMs).toBeGreaterThan(0);
    expect(server.requests).toEqual([]);
  });

  it.each(['wrongName', 'expired', 'selfSigned'] as const)(
    'takes the one that is %s with ignoreTlsErrors',
    async (kind) => {
      const server = await serve(certificates[kind]);
      expect(await probe(check({ ignoreTlsErrors: true }), httpTarget(server))).toMatchObject({ code: 'ok' });
    },
  );

  it('does not know the authority of a company unless told', async () => {
    const server = await serve(certificates.good);
    const result = await probe(check({ ca: undefined }), httpTarget(server));
    expect(result).toMatchObject({ result: 'down', code: 'tls' });
  });

  it('calls a server that does not speak TLS a failure of TLS, also with ignoreTlsErrors', async () => {
    const server = await startWireServer('', { onConnect: (socket) => socket.write('220 mail.example ESMTP\r\n') });
    servers.push(server);
    for (const ignoreTlsErrors of [false, true])
      expect(await probe(check({ ignoreTlsErrors }), httpTarget(server))).toMatchObject({
        result: 'down',
        code: 'tls',
      });
  });

  it('says that the connection ended in the handshake', async () => {
    const server = await startWireServer('', { onConnect: (socket) => socket.end() });
    servers.push(server);
    const result = await probe(check(), httpTarget(server));
    expect(result).toMatchObject({ code: 'reset', message: expect.stringContaining('in the TLS handshake') as string });
  });

  it('leaves no connection behind, whether it passes, refuses the certificate or is cut off', async () => {
    const server = await serve(certificates.good);
    const probes = Array.from({ length: 100 }, (_, n) =>
      n % 2 === 0
        ? probe(check(n % 4 === 0 ? {} : { serverName: 'other.test' }), httpTarget(server))
        : probe(check(), httpTarget(server), 1 + (n % 20)),
    );
    const settled = await Promise.allSettled(probes);
    const codes = settled.map((one) => (one.status === 'fulfilled' ? one.value.code : 'cut off'));
    expect(codes.filter((code) => code === 'ok').length).toBeGreaterThanOrEqual(25);
    expect(codes.filter((code) => code === 'tls')).toHaveLength(25);
    await until('no connection is open', () => server.open() === 0);
  });

  it('follows a redirect to https at the same host with the configured headers', async () => {
    const secure = await serve(certificates.good);
    const location = `Location: https://web.test:${secure.port}/in`;
    const plain = await startWireServer(httpAnswer('301 Moved Permanently', '', [location]));
    servers.push(plain);
    const options = { scheme: 'http', followRedirects: true, headers: { Authorization: 'geheim' } };
    expect(await probe(check(options), httpTarget(plain))).toMatchObject({ code: 'ok' });
    expect(secure.requests[0]).toContain('Authorization: geheim\r\n');
    expect(secure.serverNames).toEqual(['web.test']);
  });

  it('cannot ask without the file of certificates, and asks once it is there', async () => {
    const server = await serve(certificates.good);
    const ca = join(dirname(certificates.caFile), 'later.pem');
    const later = check({ ca });
    const result = await probe(later, httpTarget(server));
    expect(result).toMatchObject({ result: 'unknown', code: 'error' });
    expect(result.message).toMatch(/cannot read certificates from ca ".*later.pem": ENOENT/);
    writeFileSync(ca, 'nothing of the kind');
    expect(await probe(later, httpTarget(server))).toMatchObject({ result: 'unknown', code: 'error' });
    writeFileSync(ca, certificates.good.cert);
    // The file holds another certificate than that of the authority, so the handshake is tried and fails.
    expect(await probe(later, httpTarget(server))).toMatchObject({ result: 'down', code: 'tls' });
  });
});
