import { describe, expect, it } from 'vitest';
import type { HaproxyServer } from '../../../src/demo/runtime.ts';
import type { ListedSlot, Sight } from '../../../src/demo/sight.ts';
import { changes, rowsOf } from '../../../src/demo/view.ts';

const taken = (index: number): ListedSlot => ({
  index,
  state: 'taken',
  target: { name: `web-${index}`, address: `127.77.0.${index}`, port: 80 },
  weight: 10,
});

const server = (index: number, changed: Partial<HaproxyServer> = {}): HaproxyServer => ({
  index,
  address: `127.77.0.${index}`,
  port: 80,
  admin: 'ready',
  isUp: true,
  weight: 10,
  ...changed,
});

function sight(slots: readonly ListedSlot[], servers: readonly HaproxyServer[]): Sight {
  return {
    api: { slots, isLeader: true, epoch: 1, revision: 1, held: [] },
    haproxy: { workerPid: 1, version: '2.6.12', servers },
  };
}

const states = (seen: Sight, wasUp: readonly string[] = []) =>
  rowsOf(seen, new Set(wasUp))
    .slice(0, 3)
    .map(({ state }) => state);

describe('the table', () => {
  it('has every slot, free ones before anything is known', () => {
    expect(rowsOf({}, new Set()).map(({ index, state }) => `${index} ${state}`)).toHaveLength(8);
    expect(states({})).toEqual(['free', 'free', 'free']);
  });

  it('says what HAProxy does with each slot', () => {
    const draining: ListedSlot = { ...taken(3), state: 'draining' };
    const servers = [server(1), server(2, { isUp: false }), server(3, { admin: 'drain' })];
    expect(states(sight([taken(1), taken(2), draining], servers), ['web-2'])).toEqual(['up', 'down', 'draining']);
  });

  it('tells who is drained by a verdict from who is drained by an operator', () => {
    const drained = [server(1, { admin: 'drain' }), server(2, { admin: 'drain' })];
    const seen = sight(
      [
        { ...taken(1), out: 'down' },
        { ...taken(2), override: 'drain' },
      ],
      drained,
    );
    expect(states(seen, ['web-1', 'web-2'])).toEqual(['down', 'draining', 'free']);
  });

  it('tells a newcomer that is checked first from a target that went down', () => {
    const seen = sight([taken(1)], [server(1, { isUp: false })]);
    expect(states(seen)[0]).toBe('joining');
    expect(states(seen, ['web-1'])[0]).toBe('down');
  });
});

describe('what changed', () => {
  const nothing = rowsOf({}, new Set());

  it('is told by slot, with all weights in one sentence', () => {
    const before = rowsOf(sight([taken(1), taken(2)], [server(1, { weight: 1 }), server(2, { weight: 3 })]), new Set());
    const after = rowsOf(sight([taken(1), taken(2)], [server(1, { weight: 3 }), server(2, { weight: 5 })]), new Set());
    expect(changes(nothing, before)).toEqual(['slot 1: web-1 is up, weight 1', 'slot 2: web-2 is up, weight 3']);
    expect(changes(before, after)).toEqual(['weights: web-1 1 -> 3, web-2 3 -> 5']);
    expect(changes(after, nothing)).toEqual(['slot 1 is free, web-1 has left', 'slot 2 is free, web-2 has left']);
  });

  it('is nothing between two equal tables', () => {
    expect(changes(nothing, nothing)).toEqual([]);
  });
});
