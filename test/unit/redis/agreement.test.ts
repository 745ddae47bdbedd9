import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreeOn, type SentinelView } from '../../../src/redis/agreement.ts';

const names = (n: number, host: string, port = 6379): SentinelView => ({
  sentinel: `s${n}:26379`,
  master: { host, port },
});
const fails = (n: number, fault = 'did not answer in 400 ms', isRefusal = false): SentinelView => ({
  sentinel: `s${n}:26379`,
  fault,
  isRefusal,
});

describe('the agreement of sentinels', () => {
  it('is there as soon as a majority of those configured names one address and port', () => {
    expect(agreeOn([names(1, '10.0.0.1')], 1)).toEqual({ kind: 'agreed', master: { host: '10.0.0.1', port: 6379 } });
    expect(agreeOn([names(1, '10.0.0.1')], 3)).toEqual({ kind: 'open' });
    expect(agreeOn([names(1, '10.0.0.1'), names(2, '10.0.0.1')], 3)).toMatchObject({ kind: 'agreed' });
    expect(agreeOn([names(1, '10.0.0.1'), names(2, '10.0.0.1')], 4)).toEqual({ kind: 'open' });
  });

  it('is not made by a majority of those that happen to answer', () => {
    expect(agreeOn([names(1, '10.0.0.1'), fails(2), fails(3)], 3)).toEqual({
      kind: 'none',
      isRefused: false,
      reason:
        '1 for "10.0.0.1:6379" of 3 sentinels, expected 2 for one master; "s2:26379" did not answer in 400 ms; "s3:26379" did not answer in 400 ms',
    });
  });

  it('takes another port for another master', () => {
    expect(agreeOn([names(1, '10.0.0.1', 6379), names(2, '10.0.0.1', 6380)], 2)).toMatchObject({
      kind: 'none',
      reason: '1 for "10.0.0.1:6379", 1 for "10.0.0.1:6380" of 2 sentinels, expected 2 for one master',
    });
  });

  it('is refused for good only when refusals alone prevent it', () => {
    const wrong = (n: number) => fails(n, 'said WRONGPASS', true);
    expect(agreeOn([wrong(1), wrong(2), names(3, '10.0.0.1')], 3)).toMatchObject({ kind: 'none', isRefused: true });
    expect(agreeOn([wrong(1), fails(2), fails(3)], 3)).toMatchObject({ kind: 'none', isRefused: false });
  });

  it('is given up as soon as nobody can make it any more, and says who was not heard', () => {
    expect(agreeOn([fails(1), fails(2)], 3)).toMatchObject({
      kind: 'none',
      reason: expect.stringMatching(/^none of 3 sentinels, .*; "s2:26379" did not answer in 400 ms; 1 not waited for$/),
    });
  });

  const view = fc.oneof(
    fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3').map((host): SentinelView => names(0, host)),
    fc.boolean().map((isRefusal): SentinelView => fails(0, 'is away', isRefusal)),
  );
  const electorate = fc.array(view, { minLength: 1, maxLength: 9 });

  it('equals a plain count, whatever comes in', () => {
    fc.assert(
      fc.property(electorate, (views) => {
        const needed = Math.floor(views.length / 2) + 1;
        const winner = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].find(
          (host) => views.filter(({ master }) => master?.host === host).length >= needed,
        );
        const found = agreeOn(views, views.length);
        expect(found.kind === 'agreed' ? found.master.host : undefined).toBe(winner);
        expect(found.kind).not.toBe('open');
      }),
    );
  });

  it('never changes when the rest is heard, and is open only while that may still decide', () => {
    fc.assert(
      fc.property(electorate, fc.nat(9), (views, heard) => {
        const early = agreeOn(views.slice(0, heard), views.length);
        const late = agreeOn(views, views.length);
        if (early.kind === 'agreed') expect(late).toEqual(early);
        if (early.kind === 'none') expect(late.kind).toBe('none');
      }),
    );
  });
});
