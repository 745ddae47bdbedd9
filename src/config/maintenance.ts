import { z } from 'zod';
import type { LocalTime, Weekday } from '../assign/windows.ts';

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const dateAndTime = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d$/, 'expected a date and time such as 2026-12-24 22:30')
  .refine((text) => {
    const { year, month, day, hour, minute } = parseLocal(text);
    const date = new Date(Date.UTC(year, month - 1, day, hour, minute));
    return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60;
  }, 'expected a day and a time that exist')
  .transform(parseLocal);

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as 02:30')
  .transform((text) => ({ hour: Number(text.slice(0, 2)), minute: Number(text.slice(3)) }));

const place = {
  /** Names or ids of targets, which are put into `state`; without it the service as a whole, of which nobody is told meanwhile. */
  targets: z.array(z.string().min(1)).min(1).optional(),
  state: z.enum(['maint', 'drain']).default('maint'),
  timeZone: z.string().refine(isTimeZone, 'expected a time zone such as Europe/Berlin').default('UTC'),
};

/** Planned maintenance: once, or every week. Clocks that are changed are minded. */
export const maintenanceSchema = z.union(
  [
    z
      .strictObject({ ...place, from: dateAndTime, to: dateAndTime })
      .refine(({ from, to }) => orderOf(from) < orderOf(to), { path: ['to'], message: 'expected a time after from' }),
    z.strictObject({
      ...place,
      /** Those on which it begins. */
      days: z
        .array(z.enum(weekdays))
        .min(1)
        .transform((names) => names.map((name) => weekdays.indexOf(name) as Weekday)),
      at: timeOfDay,
      forMinutes: z.number().min(1).max(10_080),
    }),
  ],
  'expected {from, to} as 2026-12-24 22:30, or {days: [sun], at: 02:30, forMinutes}',
);

function parseLocal(text: string): LocalTime {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/[- T:]/).map(Number);
  return { year, month, day, hour, minute };
}

const orderOf = ({ year, month, day, hour, minute }: LocalTime) => Date.UTC(year, month - 1, day, hour, minute);

function isTimeZone(text: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
