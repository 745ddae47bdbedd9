import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf, type LocalTime, localTime, openUntil, planned } from '../../../src/assign/windows.ts';
import { maintenanceSchema } from '../../../src/config/maintenance.ts';

const berlin = 'Europe/Berlin';
const at = (text: string) => Date.parse(text);
const window = (fields: object) => maintenanceSchema.parse({ timeZone: berlin, ...fields });
const local = (text: string): LocalTime => localTime(at(`${text}Z`), 'UTC');
const zones = [
  'UTC',
  berlin,
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Pacific/Apia',
];

describe('a maintenance window', () => {
  it('that stands there once is open from its first minute until its last, by the clocks of its zone', () => {
    const once = window({ from: '2026-07-01 02:00', to: '2026-07-01 04:30' });
    expect(openUntil(once, at('2026-06-30T23:59:59.999Z'))).toBeUndefined();
    expect(openUntil(once, at('2026-07-01T00:00:00Z'))).toBe(at('2026-07-01T02:30:00Z'));
    expect(openUntil(once, at('2026-07-01T02:29:59.999Z'))).toBe(at('2026-07-01T02:30:00Z'));
    expect(openUntil(once, at('2026-07-01T02:30:00Z'))).toBeUndefined();
  });

  it('of every week opens on its days, and may last over midnight', () => {
    const weekly = window({ days: ['sat'], at: '23:00', forMinutes: 180 });
    expect(openUntil(weekly, at('2026-07-04T20:59:00Z'))).toBeUndefined();
    expect(openUntil(weekly, at('2026-07-04T21:00:00Z'))).toBe(at('2026-07-05T00:00:00Z'));
    expect(openUntil(weekly, at('2026-07-04T23:59:00Z'))).toBe(at('2026-07-05T00:00:00Z'));
    expect(openUntil(weekly, at('2026-07-05T00:00:00Z'))).toBeUndefined();
    expect(openUntil(weekly, at('2026-07-05T21:30:00Z'))).toBeUndefined();
  });

  it('follows its zone from winter to summer', () => {
    const weekly = window({ days: ['sun'], at: '04:00', forMinutes: 60 });
    expect(openUntil(weekly, at('2026-03-22T03:00:00Z'))).toBe(at('2026-03-22T04:00:00Z'));
    expect(openUntil(weekly, at('2026-03-29T02:00:00Z'))).toBe(at('2026-03-29T03:00:00Z'));
  });

  it('whose hour is skipped opens when the clocks skip it, and lasts as long as ever', () => {
    const weekly = window({ days: ['sun'], at: '02:30', forMinutes: 60 });
    expect(openUntil(weekly, at('2026-03-29T00:59:00Z'))).toBeUndefined();
    expect(openUntil(weekly, at('2026-03-29T01:00:00Z'))).toBe(at('2026-03-29T02:00:00Z'));
  });

  it('whose hour comes twice opens with the first and not again with the second', () => {
    const weekly = window({ days: ['sun'], at: '02:30', forMinutes: 30 });
    expect(openUntil(weekly, at('2026-10-25T00:30:00Z'))).toBe(at('2026-10-25T01:00:00Z'));
    expect(openUntil(weekly, at('2026-10-25T01:30:00Z'))).toBeUndefined();
  });

  it('finds the instant of every local time that a clock of a zone ever shows', () => {
    const instants = fc.integer({ min: at('2005-01-01T00:00Z') / 60_000, max: at('2035-01-01T00:00Z') / 60_000 });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instants, (zone, minutes) => {
        const instant = minutes * 60_000;
        const shown = localTime(instant, zone);
        const found = instantOf(shown, zone);
        expect(localTime(found, zone)).toEqual(shown);
        expect(found).toBeLessThanOrEqual(instant);
        expect(instant - found).toBeLessThanOrEqual(3_600_000);
      }),
      { numRuns: 2000 },
    );
  });

  it('puts the targets that it names into its state, maint before drain, and a service as a whole under maintenance', () => {
    const day = { from: '2026-07-01 00:00', to: '2026-07-02 00:00' };
    const windows = [
      window({ ...day, targets: ['web 1', 'i-2'], state: 'drain' }),
      window({ ...day, targets: ['i-2', 'nobody'] }),
      window({ ...day, to: '2026-07-01 12:00' }),
      window({ from: '2027-07-01 00:00', to: '2027-07-02 00:00', targets: ['i-3'] }),
    ];
    const names = new Map([
      ['i-1', 'web 1'],
      ['i-2', 'web 2'],
      ['i-3', 'web 3'],
    ]);
    const now = at('2026-07-01T06:00:00Z');
    expect([...planned(windows, names, now).overrides]).toEqual([
      ['i-1', 'drain'],
      ['i-2', 'maint'],
    ]);
    expect(planned(windows, names, now).serviceUntilAt).toBe(at('2026-07-01T10:00:00Z'));
    expect(planned(windows, names, at('2026-08-01T06:00:00Z'))).toEqual({ overrides: new Map() });
  });

  it.each([
    [{ from: '2026-02-30 00:00', to: '2026-03-02 00:00' }],
    [{ from: '2026-03-02 00:00', to: '2026-03-01 00:00' }],
    [{ days: ['sunday'], at: '02:00', forMinutes: 5 }],
    [{ days: ['sun'], at: '25:00', forMinutes: 5 }],
    [{ days: ['sun'], at: '02:00', forMinutes: 5, timeZone: 'Middle/Earth' }],
    [{ days: ['sun'], at: '02:00', forMinutes: 5, targets: [] }],
  ])('%j is refused', (fields) => {
    expect(maintenanceSchema.safeParse(fields).success).toBe(false);
  });

  it('reads dates as they are written', () => {
    expect(window({ from: '2026-07-01T02:05', to: '2026-07-01 04:30' })).toMatchObject({
      from: local('2026-07-01T02:05'),
    });
  });
});
