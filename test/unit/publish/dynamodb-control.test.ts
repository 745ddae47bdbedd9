import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutNames, decodeControl, encodeControl } from '../../../src/publish/dynamodb-control.ts';
import { freeItem } from '../../../src/publish/dynamodb-slots.ts';
import { itemBytes } from '../../fixtures/dynamodb.ts';
import { startAt } from '../../fixtures/lists.ts';

const nonce = '0f8fad5b-d9cb-469f-a165-70867728950e';
const mark = { revision: 7, epoch: 3, publishedAt: startAt, nonce, moved: '7:1-99'.padEnd(600, ',9') };

describe('item 0', () => {
  it('comes back as it was', () => {
    const hold = { token: 'hold-1', sinceAt: startAt, targets: ['a', 'b'] };
    const judged = {
      panic: { sinceAt: startAt, serves: 'fallback', fallback: ['192.0.2.1'] },
      active: 'i-1',
      activeSinceAt: startAt - 1,
      maintenanceUntilAt: startAt + 1,
      switchover: { token: 't', targetId: 'i-1', targetName: 'one', by: 'ann', at: startAt, ended: 'down' },
      primary: { highestTimeline: 2, lastId: 'i-1' },
    } as const;
    const slots = [{ state: 'free', index: 1 }] as const;
    const desired = { service: 'web', slots, unplaced: ['x'], hold, ...judged };
    expect(decodeControl(encodeControl(desired, mark))).toEqual({
      ...mark,
      publishedEpoch: 3,
      size: 1,
      unplaced: ['x'],
      hold,
      ...judged,
    });
  });

  it('stays below one read unit, whatever waits for a slot or is held', () => {
    const name = fc.oneof(fc.string({ maxLength: 255 }), fc.constant('"'.repeat(255)), fc.constant('名'.repeat(85)));
    const fallback = Array.from({ length: 4 }, (_, n) => `2001:db8:1111:2222:3333:4444:5555:000${n}`);
    const judged = {
      panic: { sinceAt: startAt, serves: 'fallback', fallback },
      active: 'i'.repeat(255),
      activeSinceAt: startAt,
      maintenanceUntilAt: startAt,
      switchover: {
        token: nonce,
        targetId: 'i'.repeat(255),
        targetName: 'n'.repeat(255),
        by: 'b'.repeat(100),
        at: startAt,
        ended: 'purged',
        endedBy: 'b'.repeat(100),
      },
      primary: { highestTimeline: 4_294_967_295, lastId: 'i'.repeat(255) },
    } as const;
    const many = fc.array(name, { maxLength: 3000, size: 'max' });
    fc.assert(
      fc.property(many, many, fc.string({ maxLength: 5000 }), (unplaced, targets, token) => {
        const desired = { service: 'web', slots: [], unplaced, hold: { token, sinceAt: startAt, targets }, ...judged };
        const lease = {
          LeaseHolder: { S: 'n'.repeat(128) },
          LeaseTtlMs: { N: '10000' },
          LeaseNonce: { S: mark.nonce },
        };
        expect(itemBytes({ ...freeItem(0), ...encodeControl(desired, mark), ...lease })).toBeLessThan(4096);
      }),
      { numRuns: 30 },
    );
  });

  it('counts the names that it leaves out, and cuts a cut list no further', () => {
    const names = Array.from({ length: 500 }, (_, n) => `target-${n}`);
    const cut = cutNames(names);
    expect(cut.at(-1)).toBe(`and ${500 - (cut.length - 1)} more`);
    expect(cutNames(cut)).toEqual(cut);
    expect(cutNames(['a', 'b'])).toEqual(['a', 'b']);
    const again = cutNames([...cut, ...names.slice(0, 100)]);
    expect(again.at(-1)).toBe(`and ${600 - (again.length - 1)} more`);
  });

  it('is refused when what guards the table cannot be read, and else only loses what is told to people', () => {
    const item: Record<string, AttributeValue> = { Revision: { N: '1' }, Epoch: { N: '1' }, Size: { N: '3' } };
    for (const bad of [
      { Revision: { S: '1' } },
      { Epoch: { N: '1.5' } },
      { Revision: { N: '-1' } },
      { Epoch: { N: '1e400' } },
    ]) {
      expect(() => decodeControl({ ...item, ...bad })).toThrow(/^Cannot read item 0 .* expected a whole number/);
    }
    const unreadable = {
      Panic: { S: '{"serves":"tea"}' },
      Active: { N: '5' },
      Switchover: { S: '{"token":""}' },
      Primary: { S: '{"lastId":7}' },
    };
    expect(
      decodeControl({ ...item, Unplaced: { S: '{' }, Hold: { S: '{"token":5}' }, ...unreadable, Size: { S: 'x' } }),
    ).toMatchObject({
      revision: 1,
      size: undefined,
      unplaced: [],
      hold: undefined,
      panic: undefined,
      active: undefined,
      switchover: undefined,
      primary: undefined,
    });
  });
});
