import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rampWeight } from '../../../src/assign/weight.ts';
import { probeCodes } from '../../../src/model/probe.ts';
import { outReasons, type Slot, type SlotHealth } from '../../../src/model/slot.ts';
import type { Target } from '../../../src/model/target.ts';
import { decodeSlot, encodeForHsdo, encodeSlot, freeItem } from '../../../src/publish/dynamodb-slots.ts';
import { formatPythonTime } from '../../../src/publish/python-time.ts';
import { startAt, taken, target } from '../../fixtures/lists.ts';

const ramp = { min: 1, increase: 1, intervalMs: 30_000 };
const ours = { ramp, isOurs: true, readAt: startAt };
const theirs = { ...ours, isOurs: false };

const word = fc.stringMatching(/^[A-Za-z0-9_.:/@+-]{1,40}$/);
const address = fc
  .oneof(
    fc.tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join('.')),
    fc.constantFrom('2001:db8::1', 'fd00::1:2'),
  )
  .filter((text) => !text.startsWith('169.254.'));
const port = fc.integer({ min: 1, max: 65_535 });
const instant = fc.integer({ min: 0, max: 4e12 });
const weight = fc.integer({ min: 0, max: 256 });
const anyTarget: fc.Arbitrary<Target> = fc.record(
  {
    id: word,
    name: word,
    address,
    group: word,
    port,
    zone: word,
    weight: fc.integer({ min: 1, max: 256 }),
    priority: fc.integer({ min: 0, max: 65_535 }),
  },
  { requiredKeys: ['id', 'name', 'address', 'group'], noNullPrototype: true },
);
const index = fc.integer({ min: 1, max: 6000 });
const state = <T extends string>(value: T) => fc.constant(value);
const health: fc.Arbitrary<SlotHealth> = fc.record(
  {
    verdict: fc.constantFrom('up', 'down', 'undecided'),
    code: fc.constantFrom(...probeCodes),
    sinceAt: instant,
    isInDoubt: fc.constant(true as const),
  },
  { requiredKeys: ['verdict', 'code', 'sinceAt'], noNullPrototype: true },
);
const anySlot: fc.Arbitrary<Slot> = fc.oneof(
  fc.record(
    {
      state: state('free'),
      index,
      last: fc.record(
        { id: word, address, leftAt: instant, port },
        { requiredKeys: ['id', 'address', 'leftAt'], noNullPrototype: true },
      ),
    },
    { requiredKeys: ['state', 'index'], noNullPrototype: true },
  ),
  fc.record(
    {
      state: state('taken'),
      index,
      target: anyTarget,
      joinedAt: instant,
      weight,
      override: fc.constantFrom('ready', 'drain', 'maint'),
      health,
      out: fc.constantFrom(...outReasons),
    },
    { requiredKeys: ['state', 'index', 'target', 'joinedAt', 'weight'], noNullPrototype: true },
  ),
  fc.record(
    { state: state('draining'), index, target: anyTarget, joinedAt: instant, weight, drainUntil: instant },
    { noNullPrototype: true },
  ),
);

describe('a slot as an item', () => {
  it('comes back as it was, whatever it is', () => {
    fc.assert(
      fc.property(anySlot, (slot) => {
        expect(decodeSlot(slot.index, encodeSlot(slot, ramp, startAt), ours)).toStrictEqual({ slot, refusals: [] });
      }),
    );
  });

  it('says in the words of HSDO what its clients must do', () => {
    const words = (slot: Slot) => {
      const { IPAddress, Weight, BackendServerStatus, ServerName, ASG } = encodeSlot(slot, ramp, startAt);
      return [IPAddress?.S, Weight?.N, BackendServerStatus?.S, ServerName?.S, ASG?.S].join(' ');
    };
    const one = target('i-1');
    expect(words({ state: 'free', index: 1 })).toBe('none 0 disabled none none');
    expect(words({ state: 'free', index: 1, last: { id: 'i-1', address: '10.0.0.1', leftAt: 1 } })).toBe(
      'none 0 disabled none none',
    );
    expect(words(taken(1, one, { weight: 4 }))).toBe('10.0.0.1 4 enabled i-1 web');
    expect(words(taken(1, one, { override: 'ready' }))).toBe('10.0.0.1 10 enabled i-1 web');
    expect(words(taken(1, one, { override: 'maint' }))).toBe('10.0.0.1 0 enabled i-1 web');
    expect(words(taken(1, one, { override: 'drain' }))).toBe('10.0.0.1 0 enabled i-1 web');
    const down = { verdict: 'down', code: 'refused', sinceAt: startAt } as const;
    expect(words(taken(1, one, { weight: 4, health: down, out: 'down' }))).toBe('10.0.0.1 0 enabled i-1 web');
    expect(words(taken(1, one, { weight: 4, out: 'standby', override: 'ready' }))).toBe('10.0.0.1 0 enabled i-1 web');
    // In a panic it serves although it is down.
    expect(words(taken(1, one, { weight: 4, health: down }))).toBe('10.0.0.1 4 enabled i-1 web');
    const draining = { state: 'draining', index: 1, target: one, joinedAt: 0, weight: 10, drainUntil: 1 } as const;
    expect(words(draining)).toBe('10.0.0.1 0 enabled i-1 web');
  });

  it('notes the time of the last step of the weight, never one in the future', () => {
    const at = (slot: Slot, now: number) => encodeForHsdo(slot, ramp, now)['LastWeightUpdate']?.S;
    const slot = taken(1, target('i-1'), { weight: 3, joinedAt: startAt });
    expect(at(slot, startAt + 70_000)).toBe(formatPythonTime(startAt + 60_000));
    expect(at({ ...slot, weight: 10 }, startAt)).toBe(formatPythonTime(startAt));
    expect(at({ state: 'free', index: 1 }, startAt)).toBe('0-0-0 00:00:00.000000');
  });

  it("is in HSDO's own attributes and no others when the table is handed back", () => {
    fc.assert(
      fc.property(anySlot, (slot) => {
        expect(Object.keys(encodeForHsdo(slot, ramp, startAt))).toEqual(Object.keys(freeItem(0)));
      }),
    );
  });
});

describe('an item that HSDO wrote', () => {
  const item = (fields: Record<string, AttributeValue> = {}): Record<string, AttributeValue> => ({
    BackendServerID: { N: '2' },
    IPAddress: { S: '10.0.0.7' },
    ServerName: { S: 'i-0abc' },
    ASG: { S: 'web-asg' },
    Weight: { N: '4' },
    BackendServerStatus: { S: 'enabled' },
    LastWeightUpdate: { S: formatPythonTime(startAt - 10_000) },
    ...fields,
  });
  const read = (fields: Record<string, AttributeValue> = {}) => decodeSlot(2, item(fields), theirs);

  it('is a taken slot whose ramp goes on where it was', () => {
    const { slot, refusals } = read();
    expect(refusals).toEqual([]);
    expect(slot).toMatchObject({
      state: 'taken',
      index: 2,
      target: { id: 'i-0abc', name: 'i-0abc', address: '10.0.0.7', group: 'web-asg' },
      weight: 4,
    });
    if (slot.state !== 'taken') throw new Error('not taken');
    const weightAfter = (ms: number) =>
      rampWeight(
        slot.target,
        { joinedAt: slot.joinedAt, now: startAt + ms, previous: slot.weight },
        { ...ramp, max: 10, first: 'max' },
      );
    expect([0, 19_999, 20_000, 50_000, 1e9].map(weightAfter)).toEqual([4, 4, 5, 6, 10]);
  });

  it('keeps its weight when that fits no step of the configured ramp', () => {
    for (const [ramp_, stored] of [
      [{ min: 1, increase: 3, intervalMs: 1000 }, 6],
      [{ min: 5, increase: 1, intervalMs: 1000 }, 2],
      [{ min: 1, increase: 0, intervalMs: 1000 }, 9],
    ] as const) {
      const { slot } = decodeSlot(2, item({ Weight: { N: String(stored) } }), { ...theirs, ramp: ramp_ });
      expect(slot).toMatchObject({ weight: stored });
      if (slot.state === 'taken') expect(slot.joinedAt).toBeLessThanOrEqual(startAt);
    }
  });

  it('counts from this moment when its time cannot be read or lies ahead', () => {
    for (const text of ['0-0-0 00:00:00.000000', 'yesterday', formatPythonTime(startAt + 1e9)]) {
      expect(read({ LastWeightUpdate: { S: text } }).slot).toMatchObject({ joinedAt: startAt - 3 * 30_000 });
    }
  });

  it('is a free slot when HSDO called it free, whatever else it says', () => {
    expect(read({ IPAddress: { S: 'none' } })).toEqual({ slot: { state: 'free', index: 2 }, refusals: [] });
    expect(decodeSlot(2, freeItem(2), theirs)).toEqual({ slot: { state: 'free', index: 2 }, refusals: [] });
  });

  it('means nothing by attributes of ours that were left behind', () => {
    const leftover = {
      SlotState: { S: 'draining' },
      DrainUntil: { N: '1' },
      TargetID: { S: 'old' },
      Override: { S: 'maint' },
      RampWeight: { N: '9' },
      Health: { S: 'down' },
      HealthCode: { S: 'timeout' },
      HealthSince: { N: '1' },
      Out: { S: 'down' },
      JoinedAt: { N: '1' },
      Port: { N: '81' },
    };
    expect(read(leftover)).toEqual(read());
  });
});
