import { describe, expect, it } from 'vitest';
import { sourceSchema } from '../../../src/discover/sources.ts';
import { sourceOf, targetsOf } from '../../fixtures/sources.ts';

const consul = { kind: 'consul', url: 'http://127.0.0.1:8500', services: ['web'] };

describe('the schema of sources', () => {
  it('fills in what is not said', () => {
    expect(sourceSchema.parse(consul)).toEqual({ ...consul, tags: [], waitSeconds: 30 });
    const aws = { kind: 'aws', groups: ['web-a'] };
    expect(sourceSchema.parse(aws)).toEqual({ ...aws, addressFamily: 'ipv4' });
    const dns = { kind: 'dns', names: ['web.example.org'] };
    expect(sourceSchema.parse(dns)).toEqual({ ...dns, type: 'both', emptyMeansNone: false, timeoutSeconds: 2 });
  });

  it('hides the token of Consul', () => {
    const parsed = sourceSchema.parse({ ...consul, token: 'geheim' });
    expect(JSON.stringify(parsed)).not.toContain('geheim');
    expect(parsed.kind === 'consul' && parsed.token?.reveal()).toBe('geheim');
  });

  it.each([
    [{ kind: 'zookeeper' }],
    [{ kind: 'aws', groups: [] }],
    [{ kind: 'aws', groups: ['a'], endpoint: 'somewhere' }],
    [{ kind: 'file' }],
    [{ kind: 'file', path: 'a', interval: 3 }],
    [{ ...consul, url: 'ftp://x' }],
    [{ ...consul, url: 'http://user:password@127.0.0.1:8500' }],
    [{ ...consul, services: [] }],
    [{ kind: 'dns', names: ['a b'] }],
    [{ kind: 'dns', names: ['a'], servers: ['localhost'] }],
    [{ kind: 'dns', names: ['a'], servers: ['::1:53:'] }],
  ])('refuses %j', (config) => {
    expect(sourceSchema.safeParse(config).success).toBe(false);
  });
});

describe('the source static', () => {
  it('takes addresses, endpoints and maps, and names them by what they have', async () => {
    const source = sourceOf({
      kind: 'static',
      targets: [
        '10.0.0.1',
        '10.0.0.1:81',
        '2001:db8::1',
        '[2001:db8::1]:80',
        '[2001:db8::2]',
        { address: '10.0.0.2', port: 80 },
        { name: 'spare', address: '10.0.0.3', group: 'web-b', zone: 'b', weight: 1 },
        { id: 'i-4', address: '10.0.0.4' },
        { id: 'i-5', name: 'five', address: '10.0.0.5' },
      ],
    });
    const targets = await targetsOf(source);
    expect(targets.map(({ id, name, address, port }) => [id, name, address, port])).toEqual([
      ['10.0.0.1', '10.0.0.1', '10.0.0.1', undefined],
      ['10.0.0.1:81', '10.0.0.1:81', '10.0.0.1', 81],
      ['2001:db8::1', '2001:db8::1', '2001:db8::1', undefined],
      ['2001:db8::1/80', '2001:db8::1/80', '2001:db8::1', 80],
      ['2001:db8::2', '2001:db8::2', '2001:db8::2', undefined],
      ['10.0.0.2:80', '10.0.0.2:80', '10.0.0.2', 80],
      ['spare', 'spare', '10.0.0.3', undefined],
      ['i-4', 'i-4', '10.0.0.4', undefined],
      ['i-5', 'five', '10.0.0.5', undefined],
    ]);
    expect(targets[6]).toMatchObject({ group: 'web-b', zone: 'b', weight: 1 });
    expect(targets[0]?.group).toBe('static');
  });

  it('is a fault of the configuration with each entry that can be no target', () => {
    const targets = ['10.0.0.1', 'web:80', '10.0.0.2:', '10.0.0.3:0', '10.0.0.4:70000', 7, null, [], { wieght: 3 }, ''];
    const issues = sourceSchema.safeParse({ kind: 'static', targets }).error?.issues ?? [];
    expect(issues.map(({ path, message }) => `${path.join('.')}: ${message}`.replace(/, expected.*/, ''))).toEqual([
      'targets.1: address is "web"',
      'targets.2: address is "10.0.0.2:"',
      'targets.3: port is 0',
      'targets.4: port is 70000',
      'targets.5: the entry is 7',
      'targets.6: the entry is null',
      'targets.7: the entry is a list',
      'targets.8: "wieght" is no key of an entry',
      'targets.9: address is ""',
    ]);
  });
});
