import { describe, expect, it } from 'vitest';
import { type Reply, readRole, readView } from '../../../src/redis/replies.ts';

const quorum: Reply = { value: 'OK 3 usable Sentinels. Quorum and failover authorization can be reached' };
const at = (...value: unknown[]): Reply => ({ value });
const view = (address: Reply, said: Reply = quorum) => readView('s:1', 'mymaster', address, said);

describe('what a sentinel answers', () => {
  it('names a master when it gives an address with a port and has its quorum', () => {
    expect(view(at('10.0.0.1', '6379'))).toEqual({ sentinel: 's:1', master: { host: '10.0.0.1', port: 6379 } });
    expect(view(at('redis-1.example', '6379')).master?.host).toBe('redis-1.example');
    expect(view(at('2001:db8::1', '1')).master).toEqual({ host: '2001:db8::1', port: 1 });
  });

  it.each([
    ['no list', { value: '10.0.0.1' }],
    ['too short a list', at('10.0.0.1')],
    ['a number for a port', at('10.0.0.1', 6379)],
    ['port 0', at('10.0.0.1', '0')],
    ['too high a port', at('10.0.0.1', '65536')],
    ['a port with a sign', at('10.0.0.1', '+6379')],
    ['an empty host', at('', '6379')],
    ['a host with a line break', at('10.0.0.1\n', '6379')],
    ['a host with a zone', at('fe80::1%eth0', '6379')],
    ['nested lists', at(['10.0.0.1'], '6379')],
  ])('is no address with %s', (_, address) => {
    expect(view(address)).toEqual({ sentinel: 's:1', fault: 'gave something that is no address with a port' });
  });

  it('counts for nothing without its quorum, and says so', () => {
    const said = { refusal: 'NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority' };
    const { master, fault } = view(at('10.0.0.1', '6379'), said);
    expect(master).toBeUndefined();
    expect(fault).toMatch(/^names "10\.0\.0\.1:6379" without a quorum: NOQUORUM 1 usable/);
    expect(view(at('10.0.0.1', '6379'), { value: 7 }).fault).toBe('did not say whether it has its quorum');
  });

  it('is a refusal when it knows no such name, nobody like us, or no such command', () => {
    expect(view({ value: null })).toMatchObject({ fault: 'knows no master "mymaster"', isRefusal: true });
    expect(view({ refusal: 'NOAUTH Authentication required.' })).toMatchObject({ isRefusal: true });
    expect(view({ refusal: "ERR unknown command 'SENTINEL'" })).toMatchObject({ isRefusal: true });
    expect(view({ refusal: 'LOADING Redis is loading the dataset in memory' })).toMatchObject({ isRefusal: false });
    expect(view(at('10.0.0.1', '1'), { refusal: 'NOPERM this user has no permissions' })).toMatchObject({
      isRefusal: true,
    });
  });

  it('is made safe to print', () => {
    expect(view({ refusal: `ERR \u001b[2J\n${'x'.repeat(500)}` }).fault).toMatch(/^said ERR \?\[2J\?x{1,120}\.\.\.$/);
  });
});

describe('the role of a Redis', () => {
  it('is the first word of the answer to ROLE', () => {
    expect(readRole(['master', 3129659, []])).toBe('master');
    expect(readRole(['slave', '127.0.0.1', 9000, 'connected', 3167038])).toBe('slave');
  });

  it('is unknown when the answer has another form', () => {
    for (const value of [null, 'master', [], [['master']], ['MASTER '], [1], {}])
      expect(readRole(value)).toBeUndefined();
  });
});
