import { describe, expect, it } from 'vitest';
import { haproxySchema, parseSocket, stateFileOf } from '../../../../src/deliver/haproxy/config.ts';

describe('a socket in the configuration', () => {
  it.each([
    ['/run/haproxy/admin.sock', { kind: 'unix', path: '/run/haproxy/admin.sock' }],
    ['unix@/a', { kind: 'unix', path: '/a' }],
    ['127.0.0.1:9999', { kind: 'tcp', host: '127.0.0.1', port: 9999 }],
    ['tcp@lb.example:1', { kind: 'tcp', host: 'lb.example', port: 1 }],
    ['[::1]:9999', { kind: 'tcp', host: '::1', port: 9999 }],
  ])('%s is understood', (text, address) => expect(parseSocket(text)).toEqual(address));

  it.each([
    '',
    'admin.sock',
    ':80',
    'host',
    'host:0',
    'host:65536',
    'host:8o',
    '[host]:80',
    '::1:80',
    `/${'x'.repeat(120)}`,
    '/a\nb',
  ])('%j is refused', (text) => expect(parseSocket(text)).toBeUndefined());
});

describe('the haproxy block', () => {
  const backends = [{ name: 'web', baseName: 'web' }];

  it('has defaults for all but the backends', () => {
    expect(haproxySchema.parse({ backends })).toEqual({
      sockets: ['/var/run/haproxy/admin.sock'],
      backends: [{ name: 'web', baseName: 'web', defaultPort: 80, accepts: 'all' }],
      manageWeights: true,
      primaryGroups: [],
      pollMs: 200,
      timeoutMs: 2000,
      grow: false,
    });
  });

  it.each([
    [{}],
    [{ backends: [] }],
    [{ backends: [...backends, ...backends] }],
    [{ backends: [{ name: 'a;b', baseName: 'web' }] }],
    [{ backends: [{ name: 'web', baseName: 'a b' }] }],
    [{ backends: [{ ...backends[0], port: 70_000 }] }],
    [{ backends: [{ ...backends[0], accept: 'all' }] }],
    [{ backends, sockets: [] }],
    [{ backends, sockets: ['admin.sock'] }],
    [{ backends, sockets: ['/a', '/a'] }],
    [{ backends, stateFile: 'relative' }],
    [{ backends, stateFile: '/with space' }],
    [{ backends, pollMs: 1 }],
    [{ backends, grow: 'no' }],
    [{ backends, timeout: 5 }],
  ])('is refused as %j', (block) => expect(haproxySchema.safeParse(block).success).toBe(false));

  it('gives each further socket a state file of its own', () => {
    const config = haproxySchema.parse({ backends, sockets: ['/a', '/b'], stateFile: '/s' });
    expect([stateFileOf(config, 0), stateFileOf(config, 1)]).toEqual(['/s', '/s.2']);
    expect(stateFileOf(haproxySchema.parse({ backends }), 0)).toBeUndefined();
  });
});
