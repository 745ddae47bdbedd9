import { describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../src/config/schema.ts';
import { answerRules, isRanked, serviceRecordRules } from '../../../src/daemon/dns/dns-rules.ts';
import { dnsSchema } from '../../../src/deliver/dns/config.ts';

const service = (fields: object = {}) => serviceSchema.parse({ name: 'web', ...fields });
const rulesOf = (fields: object, dns: object = {}) => serviceRecordRules(service(fields), dnsSchema.parse(dns));
const all = Number.POSITIVE_INFINITY;

describe('how a service answers', () => {
  it.each([
    ['all', 'turns', all, false],
    ['round-robin', 'turns', 1, false],
    ['weighted', 'weighted', 1, false],
    ['priority', 'turns', all, false],
    ['active-passive', 'fixed', all, false],
    ['best-rtt', 'fixed', 1, true],
    ['group-rtt-rr', 'turns', 1, true],
  ])('by selection %s is in order %s, %s at a time, by distance: %s', (select, order, answers, ranked) => {
    expect(answerRules(service({ select }))).toEqual({ order, answers });
    expect(isRanked(service({ select }))).toBe(ranked);
  });

  it('names as many addresses as the service says', () => {
    expect(answerRules(service({ select: 'all', dns: { answers: 2 } }))).toEqual({ order: 'turns', answers: 2 });
    expect(answerRules(service({ select: 'weighted', dns: { answers: 'all' } })).answers).toBe(all);
  });

  it('has the times of the service before those of the block', () => {
    expect(rulesOf({}, { ttlSeconds: 7, otherTypes: 'forward' })).toMatchObject({
      ttlSeconds: 7,
      doubtTtlSeconds: 1,
      otherTypes: 'forward',
    });
    const own = { ttlSeconds: 0, doubtTtlSeconds: 3, otherTypes: 'nodata' };
    expect(rulesOf({ dns: own }, { ttlSeconds: 7, otherTypes: 'forward' })).toMatchObject(own);
    const whenAllDown = { fallback: ['192.0.2.1'], ttlSeconds: 30 };
    expect(rulesOf({ whenAllDown }).fallbackTtlSeconds).toBe(30);
    expect(rulesOf({ whenAllDown: 'all' }).fallbackTtlSeconds).toBeUndefined();
  });

  it('knows the port of targets that name none: that of HAProxy, else that of the check, else none', () => {
    const backend = { name: 'b', baseName: 'b' };
    expect(rulesOf({ haproxy: { backends: [backend] } }).defaultPort).toBe(80);
    expect(
      rulesOf({ haproxy: { backends: [{ ...backend, port: 81, defaultPort: 82 }] }, check: { kind: 'tcp', port: 83 } })
        .defaultPort,
    ).toBe(81);
    expect(rulesOf({ check: { kind: 'tcp', port: 83 } }).defaultPort).toBe(83);
    expect(rulesOf({ check: 'icmp' }).defaultPort).toBeUndefined();
  });
});
