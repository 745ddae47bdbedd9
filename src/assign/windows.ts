import type { Override } from '../model/slot.ts';

/** A date and time as a clock on the wall of some time zone shows it. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** 0 is Sunday. */
export type Weekday = 0 | 1 | 2 | 3 | 4 | 5 | 6;

interface Place {
  /** Names or ids of targets; absent: the service as a whole. */
  readonly targets?: readonly string[] | undefined;
  /** What the targets are put into. */
  readonly state: Extract<Override, 'drain' | 'maint'>;
  /** A name of the IANA database, such as Europe/Berlin. */
  readonly timeZone: string;
}

/** When something is under maintenance as planned: once, or every week. */
export type MaintenanceWindow = Place &
  (
    | { readonly from: LocalTime; readonly to: LocalTime }
    | {
        readonly days: readonly Weekday[];
        readonly at: Pick<LocalTime, 'hour' | 'minute'>;
        /** Real minutes, however the clocks are changed meanwhile. */
        readonly forMinutes: number;
      }
  );

/** What the windows of a service mean now. */
export interface Planned {
  readonly overrides: ReadonlyMap<string, Override>;
  /** When the last window over the service as a whole closes, wall-clock milliseconds; absent while none is open. */
  readonly serviceUntilAt?: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** @param names - The name of each target, by its id. */
export function planned(
  windows: readonly MaintenanceWindow[],
  names: ReadonlyMap<string, string>,
  now: number,
): Planned {
  const overrides = new Map<string, Override>();
  let serviceUntilAt: number | undefined;
  for (const window of windows) {
    const untilAt = openUntil(window, now);
    if (untilAt === undefined) continue;
    if (window.targets === undefined) serviceUntilAt = Math.max(serviceUntilAt ?? 0, untilAt);
    for (const [id, name] of window.targets === undefined ? [] : names) {
      const isMeant = window.targets?.some((one) => one === id || one === name);
      if (isMeant && overrides.get(id) !== 'maint') overrides.set(id, window.state);
    }
  }
  return { overrides, ...(serviceUntilAt === undefined ? {} : { serviceUntilAt }) };
}

/** When a window that is open at `now` closes, wall-clock milliseconds; `undefined` while it is closed. */
export function openUntil(window: MaintenanceWindow, now: number): number | undefined {
  const { timeZone } = window;
  const isIn = (from: number, to: number) => (from <= now && now < to ? to : undefined);
  if ('from' in window) return isIn(instantOf(window.from, timeZone), instantOf(window.to, timeZone));
  const { days, at, forMinutes } = window;
  // One that began on an earlier day may still be open, and "today" differs from zone to zone.
  const back = Math.ceil((forMinutes * minuteMs) / dayMs) + 1;
  let untilAt: number | undefined;
  for (let n = -1; n <= back; n += 1) {
    const { year, month, day } = localTime(now, timeZone);
    const date = new Date(Date.UTC(year, month - 1, day - n));
    if (!days.includes(date.getUTCDay() as Weekday)) continue;
    const start = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), ...at };
    const from = instantOf(start, timeZone);
    const until = isIn(from, from + forMinutes * minuteMs);
    if (until !== undefined) untilAt = Math.max(untilAt ?? 0, until);
  }
  return untilAt;
}

/**
 * The instant at which clocks in the zone show a time, wall-clock milliseconds. A time that they show twice, when they are
 * put back, is the first of the two; one that they skip is the moment at which they skip it.
 */
export function instantOf(local: LocalTime, timeZone: string): number {
  const shown = shownAs(local);
  const offsets = [offsetAt(shown - dayMs, timeZone), offsetAt(shown + dayMs, timeZone)];
  const found = offsets.map((offset) => shown - offset).filter((at) => at + offsetAt(at, timeZone) === shown);
  if (found.length > 0) return Math.min(...found);
  // Skipped: between the two offsets lies the change; it is where the later one begins to hold.
  return changeBetween(shown - Math.max(...offsets), shown - Math.min(...offsets), timeZone);
}

/** The first instant after `from`, and not after `to`, that has another offset than `from`. */
function changeBetween(from: number, to: number, timeZone: string): number {
  const before = offsetAt(from, timeZone);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timeZone) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** The local time as if it were one of UTC, milliseconds. */
const shownAs = ({ year, month, day, hour, minute }: LocalTime) => Date.UTC(year, month - 1, day, hour, minute);

/** How far clocks in the zone are ahead of UTC at an instant, milliseconds. */
function offsetAt(instant: number, timeZone: string): number {
  const minute = Math.floor(instant / minuteMs) * minuteMs;
  return shownAs(localTime(minute, timeZone)) - minute;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What clocks in the zone show at an instant. */
export function localTime(instant: number, timeZone: string): LocalTime {
  const numeric = 'numeric';
  const fields = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric } as const;
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', hourCycle: 'h23', ...fields });
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const part = (name: keyof LocalTime) => parts.get(name) ?? Number.NaN;
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute') };
}
