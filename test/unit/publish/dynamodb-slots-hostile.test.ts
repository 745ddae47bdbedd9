import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSlot, encodeSlot } from '../../../src/publish/dynamodb-slots.ts';
import { startAt, taken, target } from '../../fixtures/lists.ts';

const ramp = { min: 1, increase: 1, intervalMs: 30_000 };
const ours = { ramp, isOurs: true, readAt: startAt };
const theirs = { ...ours, isOurs: false };

describe('a hostile item', () => {
  const base = encodeSlot(taken(1, target('i-1', { port: 80, zone: 'a', weight: 9 })), ramp, startAt);

  it('is a free slot when it has no usable address, and says why', () => {
    for (const IPAddress of [
      { S: '10.0.0.1; disable server' },
      { S: '' },
      { S: '300.1.1.1' },
      { S: '0.0.0.0' },
      { N: '5' },
      { L: [] },
      undefined,
    ]) {
      const { slot, refusals } = decodeSlot(1, { ...base, IPAddress }, ours);
      expect(slot).toEqual({ state: 'free', index: 1 });
      expect(refusals).toHaveLength(1);
      expect(refusals[0]?.reason).toMatch(/^slot 1: address is /);
    }
  });

  it('loses only the attribute that cannot be read', () => {
    const read = (fields: Record<string, AttributeValue>) => decodeSlot(1, { ...base, ...fields }, ours);
    expect(read({ Port: { N: '70000' } }).slot).toMatchObject({
      state: 'taken',
      target: { id: 'i-1', address: '10.0.0.1' },
    });
    expect(read({ Port: { N: '70000' } }).slot).not.toHaveProperty('target.port');
    expect(read({ Priority: { N: '1.5' } }).slot).not.toHaveProperty('target.priority');
    expect(read({ ASG: { S: 'a\nb' } }).slot).toMatchObject({ target: { id: 'i-1', group: 'none', port: 80 } });
    expect(read({ TargetID: { S: 'a;b' } }).slot).toMatchObject({ target: { id: '10.0.0.1' } });
    expect(read({ RampWeight: { N: '300' } }).slot).toMatchObject({ weight: 10 });
    expect(read({ RampWeight: { S: 'x' }, Weight: { N: 'NaN' } }).slot).toMatchObject({ weight: 1 });
    expect(read({ Override: { S: 'explode' } }).slot).not.toHaveProperty('override');
    const judged = { Health: { S: 'down' }, HealthCode: { S: 'refused' }, HealthSince: { N: '5' }, Out: { S: 'down' } };
    expect(read({ ...judged, HealthCode: { S: 'of tomorrow' }, Out: { S: 'of tomorrow' } }).slot).toMatchObject({
      health: { verdict: 'down', code: 'error', sinceAt: 5 },
      out: 'down',
    });
    expect(read({ ...judged, HealthSince: { S: 'x' } }).slot).toMatchObject({ health: { sinceAt: startAt } });
    const sick = read({ ...judged, Health: { S: 'sick' } }).slot;
    expect(sick).not.toHaveProperty('health');
    expect(sick).toMatchObject({ out: 'down', target: { port: 80 } });
    expect(read({ JoinedAt: { N: '-5' } }).slot).toMatchObject({ state: 'taken' });
    expect(read({ SlotState: { S: 'draining' } }).slot).toMatchObject({ state: 'taken' });
  });

  it('never makes the reader fail', () => {
    const value: fc.Arbitrary<AttributeValue> = fc.oneof(
      fc.record({ S: fc.string() }),
      fc.record({ N: fc.oneof(fc.string(), fc.double().map(String)) }),
      fc.record({ BOOL: fc.boolean() }),
      fc.record({ SS: fc.array(fc.string()) }),
    ) as fc.Arbitrary<AttributeValue>;
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            ...Object.keys(base),
            'Override',
            'DrainUntil',
            'Health',
            'HealthCode',
            'HealthSince',
            'InDoubt',
            'Out',
          ),
          value,
        ),
        (fields) => {
          for (const context of [ours, theirs]) {
            const { slot } = decodeSlot(1, { ...base, ...fields }, context);
            if (slot.state === 'free') continue;
            expect(slot.weight).toBeGreaterThanOrEqual(0);
            expect(slot.weight).toBeLessThanOrEqual(256);
            expect(Number.isFinite(slot.joinedAt)).toBe(true);
            expect(slot.target.id).toMatch(/^[A-Za-z0-9_.:/@+-]+$/);
          }
        },
      ),
    );
  });
});
