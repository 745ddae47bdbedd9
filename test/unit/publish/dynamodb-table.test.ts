import * as sdk from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../../src/publish/dynamodb-attributes.ts';
import { encodeControl } from '../../../src/publish/dynamodb-control.ts';
import { addMoved } from '../../../src/publish/dynamodb-moved.ts';
import { encodeSlot, freeItem } from '../../../src/publish/dynamodb-slots.ts';
import { readTable } from '../../../src/publish/dynamodb-table.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { startAt, taken, target } from '../../fixtures/lists.ts';

const never = new AbortController().signal;
const ramp = { min: 1, increase: 1, intervalMs: 1000 };
const size = 8;
const all = Array.from({ length: size }, (_, n) => n + 1);

/** The table after every revision, the first of which writes all slots. */
function tableAfter(moves: readonly (readonly number[])[], isLogKept: boolean): ReadonlyMap<number, Attributes>[] {
  let items = new Map<number, Attributes>();
  let moved: string | undefined;
  return [all, ...moves].map((indexes, n) => {
    const revision = n + 1;
    moved = addMoved(revision, indexes, isLogKept ? moved : undefined);
    const mark = { revision, epoch: 1, publishedAt: startAt, nonce: `n${revision}`, moved };
    const slots = all.map((index) => ({ state: 'free', index }) as const);
    items = new Map(items).set(0, { ...freeItem(0), ...encodeControl({ service: 'web', slots, unplaced: [] }, mark) });
    for (const index of indexes) {
      const slot = taken(index, target(`t${index}`, { group: `r${revision}` }));
      items.set(index, { ...encodeSlot(slot, ramp, startAt), Revision: { N: String(revision) } });
    }
    return items;
  });
}

/** DynamoDB as a scan may show it: each item as it is when the scan comes by, in any order, while rounds go on. */
function dynamoOf(states: readonly ReadonlyMap<number, Attributes>[], order: readonly number[], steps: () => number) {
  let at = 0;
  const now = () => {
    at = Math.min(states.length - 1, at + steps());
    return states[at] as ReadonlyMap<number, Attributes>;
  };
  const send = async (command: object) =>
    command instanceof sdk.GetItemCommand ? { Item: now().get(0) } : { Items: order.map((index) => now().get(index)) };
  return { sdk, client: { send } as unknown as sdk.DynamoDBClient, callTimeoutMs: 1000 };
}

describe("a read of HSDO's table", () => {
  it('shows the list of one revision exactly, or nothing, wherever rounds fall into its scan', async () => {
    let shown = 0;
    const move = fc.uniqueArray(fc.constantFrom(...all), { maxLength: 4 });
    const order = fc.shuffledSubarray([0, ...all], { minLength: size + 1 });
    const steps = fc.array(fc.constantFrom(0, 0, 0, 0, 1, 2), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { maxLength: 60 }),
        order,
        steps,
        fc.boolean(),
        async (moves, by, pace, isKept) => {
          const states = tableAfter(moves, isKept);
          let n = 0;
          const dynamo = dynamoOf(states, by, () => pace[n++ % pace.length] ?? 0);
          const clock = { ...systemClock, sleep: async () => {} };
          const table = { dynamo, name: 'servers', key: 'BackendServerID (N)', service: 'web', ramp, clock };
          const found = await readTable(table, never).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'unavailable' });
          });
          if (!found) return;
          shown += 1;
          const groups = found.slots.map((slot) => (slot.state === 'taken' ? slot.target.group : 'free'));
          const expected = all.map((index) => states[found.revision - 1]?.get(index)?.['ASG']?.S);
          expect(groups).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
    expect(shown).toBeGreaterThan(250);
  });
});
