import { describe, expect, it } from 'vitest';
import { itemBytes, readUnits } from '../../bench/read-units.ts';

/** An item of exactly this many bytes. */
const itemOf = (bytes: number) => ({ A: { S: 'x'.repeat(bytes - 1) } });

describe('the size of an item', () => {
  it('is that of the names and values of its attributes', () => {
    expect(itemBytes({ Name: { S: 'web' } })).toBe(7);
    expect(itemBytes({ Naïve: { S: 'ü' } })).toBe(8);
    expect(itemBytes({ N: { N: '0' } })).toBe(2);
    expect(itemBytes({ N: { N: '10' } })).toBe(3);
    expect(itemBytes({ N: { N: '1700000000123' } })).toBe(9);
    expect(itemBytes({ N: { N: '-5' } })).toBe(4);
  });

  it('is not made up for types that hsdo does not write', () => {
    expect(() => itemBytes({ A: { L: [] } })).toThrow('type L');
  });
});

describe('read units', () => {
  it('are half a unit for every 4 KB begun of an eventually consistent read, and one of a consistent one', () => {
    expect(readUnits('GetItem', {}, { Item: itemOf(4096) })).toBe(0.5);
    expect(readUnits('GetItem', {}, { Item: itemOf(4097) })).toBe(1);
    expect(readUnits('GetItem', { ConsistentRead: true }, { Item: itemOf(100) })).toBe(1);
  });

  it('are charged for an item that is not there, and for an empty table', () => {
    expect(readUnits('GetItem', {}, {})).toBe(0.5);
    expect(readUnits('Scan', {}, { Items: [] })).toBe(0.5);
  });

  it('round the sum of a scan up, not each of its items', () => {
    const Items = Array.from({ length: 100 }, () => itemOf(200));
    expect(readUnits('Scan', {}, { Items })).toBe(2.5);
  });

  it('are not made up for other operations', () => {
    expect(() => readUnits('TransactGetItems', {}, {})).toThrow('TransactGetItems');
  });
});
