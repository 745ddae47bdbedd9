import { describe, expect, it } from 'vitest';
import { showList } from '../../../src/cli/slots.ts';
import type { Slot, TakenSlot } from '../../../src/model/slot.ts';
import { startAt, taken, target } from '../../fixtures/lists.ts';

const now = startAt + 60_000;
const show = (slots: readonly Slot[], withFree = false) =>
  showList('web', slots, withFree, now)
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
const health = (verdict: 'up' | 'down' | 'undecided', code: 'ok' | 'not-primary' = 'ok') => ({
  verdict,
  code,
  sinceAt: startAt,
});

describe('hsdo slots', () => {
  it('shows no health where nothing is checked', () => {
    expect(show([taken(1, target('a1')), { state: 'free', index: 2 }], true)).toEqual([
      ['web: 1 of 2 slots occupied'],
      ['SLOT', 'STATE', 'TARGET', 'ADDRESS', 'PORT', 'GROUP', 'WEIGHT', 'SINCE'],
      ['1', 'taken', 'a1', '10.0.0.1', '-', 'web', '10', '60 s'],
      ['2', 'free', '-', '-', '-', '-', '-', 'never'],
    ]);
  });

  it.each<[string, Partial<TakenSlot>]>([
    ['up', { health: health('up') }],
    ['down not-primary', { health: health('down', 'not-primary'), out: 'down' }],
    ['down not-primary', { health: health('down', 'not-primary') }],
    ['new', { health: health('undecided'), out: 'new' }],
    ['standby', { health: health('up'), out: 'standby' }],
    ['?', { health: health('undecided') }],
  ])('shows "%s" where a check says so', (shown, fields) => {
    const [, head, row, free] = show([taken(1, target('a1'), fields), { state: 'free', index: 2 }], true);
    expect([head?.at(-1), row?.at(-1), free?.at(-1)]).toEqual(['HEALTH', shown, '-']);
  });
});
