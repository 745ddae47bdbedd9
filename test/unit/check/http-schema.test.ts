import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSchema } from '../../../src/check/health-checks.ts';
import { failureOf, printable } from '../../../src/check/http-failure.ts';
import { codesOf, isHost } from '../../../src/check/http-schema.ts';

const http = (options: object) => checkSchema.safeParse({ kind: 'http', ...options });

function complaints(options: object): string[] {
  return http(options).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('the options of an http check', () => {
  it('have the defaults of dhaf', () => {
    expect(http({}).data).toMatchObject({
      scheme: 'http',
      method: 'GET',
      path: '/',
      headers: {},
      followRedirects: false,
      followToOtherHosts: false,
      timeoutSeconds: 5,
      intervalSeconds: 10,
      retries: 2,
      expectedCodes: '200',
      forwardDomain: true,
      ignoreTlsErrors: false,
      maxBodyBytes: 65_536,
    });
  });

  it('hide headers and bodies, which may be credentials', () => {
    const { data } = http({ method: 'POST', body: 'geheim', headers: { Authorization: 'Bearer geheim' } });
    expect(JSON.stringify(data)).not.toContain('geheim');
    expect(data?.kind === 'http' && data.headers['Authorization']?.reveal()).toBe('Bearer geheim');
  });

  it('take a number where a person writes one', () => {
    const { data } = http({ expectedCodes: 204, headers: { 'X-Level': 5 } });
    expect(data?.kind === 'http' && [data.expectedCodes, data.headers['X-Level']?.reveal()]).toEqual(['204', '5']);
  });

  it.each([
    [{ path: 'health' }, 'path'],
    [{ path: '/a b' }, 'path'],
    [{ path: '/a\r\nX-Evil: 1' }, 'path'],
    [{ path: '/a#b' }, 'path'],
    [{ path: '/gr\u00fcn' }, 'path'],
    [{ headers: { 'X-A': 'a\r\nX-Evil: 1' } }, 'headers.X-A'],
    [{ headers: { 'X-A': 'a\u0000' } }, 'headers.X-A'],
    [{ headers: { 'X-A': '\u{1f512}' } }, 'headers.X-A'],
    [{ headers: { 'X A': 'a' } }, 'headers.X A'],
    [{ headers: { 'X-A\r\nX-Evil': 'a' } }, 'headers.X-A\r\nX-Evil'],
    [{ headers: { 'X-A': '1', 'x-a': '2' } }, 'headers.x-a'],
    [{ headers: { 'content-length': '5' } }, 'headers.content-length'],
    [{ headers: { 'Transfer-Encoding': 'chunked' } }, 'headers.Transfer-Encoding'],
    [{ headers: { Host: 'a/b' } }, 'headers.Host'],
    [{ headers: { Host: 'user@a' } }, 'headers.Host'],
    [{ headers: { Host: 'a:99999' } }, 'headers.Host'],
    [{ serverName: '10.0.0.1' }, 'serverName'],
    [{ serverName: 'a b' }, 'serverName'],
    [{ expectedCodes: '' }, 'expectedCodes'],
    [{ expectedCodes: '600' }, 'expectedCodes'],
    [{ expectedCodes: '200,' }, 'expectedCodes'],
    [{ expectedCodes: '20' }, 'expectedCodes'],
    [{ expectedCodes: 'all' }, 'expectedCodes'],
    [{ method: 'DELETE' }, 'method'],
    [{ body: 'a' }, 'body'],
    [{ method: 'HEAD', expectedBody: 'a' }, 'expectedBody'],
    [{ expectedBody: '' }, 'expectedBody'],
    [{ followToOtherHosts: true }, 'followToOtherHosts'],
    [{ maxBodyBytes: 1_048_577 }, 'maxBodyBytes'],
    [{ port: 0 }, 'port'],
    [{ targets: { a: { url: 'ftp://a/' } } }, 'targets.a.url'],
    [{ targets: { a: { url: 'http://user:geheim@a/' } } }, 'targets.a.url'],
    [{ targets: { a: { url: 'http://a/\r\n' } } }, 'targets.a.url'],
    [{ targets: { a: { url: 'http://a/', port: 80 } } }, 'targets.a.url'],
    [{ targets: { a: { address: '10.0.0.1' } } }, 'targets.a'],
    [{ path: '/', timeout: 5 }, ''],
  ])('refuse %j at %s', (options, path) => {
    const found = complaints(options);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/: .{10}/);
    expect(found[0]?.startsWith(`${path}: `)).toBe(true);
    expect(found[0]).not.toContain('geheim');
  });

  it('count a code exactly where the pattern fits digit by digit', () => {
    const digit = (first: boolean) => fc.constantFrom(...(first ? '12345Xx' : '0123456789Xx').split(''));
    const pattern = fc.tuple(digit(true), digit(false), digit(false)).map((digits) => digits.join(''));
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 999 }), (all, code) => {
        const fits = (one: string) => one.split('').every((d, i) => d.toUpperCase() === 'X' || d === String(code)[i]);
        expect(codesOf(all.join(', ')).has(code)).toBe(code >= 100 && code <= 599 && all.some(fits));
      }),
    );
  });

  it('let no text be a host that is more than one line or one host', () => {
    expect(['a', 'a.b.', 'a_b', '10.0.0.1:80', '[::1]', '[::1]:80'].every(isHost)).toBe(true);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(!isHost(text) || /^[\w.:[\]-]+$/.test(text)).toBe(true);
      }),
    );
  });
});

describe('a failure of the network', () => {
  const error = (code: string, more: object = {}) => Object.assign(new Error(`connect ${code}`), { code, ...more });

  it.each([
    ['ECONNREFUSED', 'refused'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETUNREACH', 'unreachable'],
    ['ETIMEDOUT', 'timeout'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['HPE_INVALID_CONSTANT', 'protocol'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls'],
    ['EMFILE', 'error'],
    ['EADDRNOTAVAIL', 'error'],
    ['constructor', 'error'],
  ])('with %s has the code %s', (code, expected) => {
    expect(failureOf(error(code), 'exchange').code).toBe(expected);
  });

  it('is one of DNS, of TLS, or that of the last address, by where it happened', () => {
    expect(failureOf(error('EAI_AGAIN', { syscall: 'getaddrinfo' }), 'connect').code).toBe('dns');
    expect(failureOf(error('CERT_HAS_EXPIRED'), 'handshake').code).toBe('tls');
    const both = Object.assign(new AggregateError([error('ENETUNREACH'), error('ECONNREFUSED')]), {
      code: 'ENETUNREACH',
    });
    expect(failureOf(both, 'connect').code).toBe('refused');
  });

  it('is told in printable words, whatever the other side sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'binary' }), (reason, code) => {
        expect(failureOf(error(code, { reason }), 'handshake').reason).toMatch(/^[ -~]{0,250}$/);
        expect(printable(reason, 40)).toMatch(/^[ -~]{0,40}$/);
      }),
    );
  });
});
