import type { Outage } from './compose.ts';

/** How often a notifier may be heard. */
export interface Manner {
  /** What happens to one service within this time is told together. */
  readonly groupMs: number;
  /** Notices in any hour. */
  readonly perHour: number;
  /** How often it is said again that a service is down; 0: never. */
  readonly remindMs: number;
  readonly maxReminders: number;
}

/** How far a notifier is with one service, or with the cluster; kept in the store. */
export interface Cursor {
  /** Up to this batch, everything was told. */
  readonly seq: number;
  /** Batches that are being told together. Fixed before the first attempt, so that each further one says the same under the same id. */
  readonly sending?: { readonly from: number; readonly to: number };
  readonly reminders?: {
    /** Since when the outage is that was spoken of. */
    readonly outageAt: number;
    readonly count: number;
    /** Wall-clock milliseconds of the last one. */
    readonly at: number;
  };
}

/** What is to be said about one service, or the cluster. */
export interface Matter {
  readonly scope: string;
  readonly cursor: Cursor;
  /** When the oldest batch was written of which there is something to say, wall-clock milliseconds. */
  readonly waitingSinceAt?: number;
  readonly outage?: Outage;
}

export type Pace =
  | { readonly act: 'tell' | 'remind'; readonly matter: Matter }
  | { readonly act: 'wait'; readonly ms: number };

export const hourMs = 3_600_000;
/** Nothing is due and nothing is waited for. */
const longestMs = hourMs;

/** The instants of notices that still count against the limit; those of a clock that ran ahead count as now. */
export function countedAt(sentAt: readonly number[], now: number): readonly number[] {
  return sentAt.filter((at) => at > now - hourMs).map((at) => Math.min(at, now));
}

/** By how much a moment lies ahead, never more than the time that one waits for it: wall clocks of two leaders may differ. */
const aheadMs = (at: number, waitMs: number, now: number) => Math.min(waitMs, Math.max(0, at + waitMs - now));

function reminderIn({ cursor, outage, waitingSinceAt }: Matter, manner: Manner, now: number): number | undefined {
  if (outage === undefined || waitingSinceAt !== undefined || manner.remindMs === 0) return undefined;
  const before = cursor.reminders?.outageAt === outage.sinceAt ? cursor.reminders : undefined;
  if ((before?.count ?? 0) >= manner.maxReminders) return undefined;
  return aheadMs(before?.at ?? outage.sinceAt, manner.remindMs, now);
}

/** How many reminders of the outage that goes on there were. */
export function remindersOf({ cursor, outage }: Matter): number {
  return cursor.reminders?.outageAt === outage?.sinceAt ? (cursor.reminders?.count ?? 0) : 0;
}

/**
 * What a notifier does next. What was begun comes first, then what has waited longest, then reminders; above the limit all
 * wait, and what gathers meanwhile is told together.
 *
 * @param sentAt - When its last notices went out, wall-clock milliseconds.
 * @param now - Wall-clock milliseconds.
 */
export function paceOf(manner: Manner, matters: readonly Matter[], sentAt: readonly number[], now: number): Pace {
  const begun = matters.find(({ cursor }) => cursor.sending !== undefined);
  if (begun) return { act: 'tell', matter: begun };
  const counted = [...countedAt(sentAt, now)].sort((a, b) => a - b);
  const oldest = counted.at(-manner.perHour);
  const quietMs = oldest === undefined ? 0 : Math.max(0, oldest + hourMs - now);
  const tellings = matters.flatMap((matter) => {
    const { waitingSinceAt: at } = matter;
    return at === undefined ? [] : [{ matter, at, inMs: aheadMs(at, manner.groupMs, now) }];
  });
  const reminders = matters.flatMap((matter) => {
    const inMs = reminderIn(matter, manner, now);
    return inMs === undefined ? [] : [{ matter, inMs }];
  });
  if (quietMs === 0) {
    const [due] = tellings.filter(({ inMs }) => inMs === 0).sort((a, b) => a.at - b.at);
    if (due) return { act: 'tell', matter: due.matter };
    const reminder = reminders.find(({ inMs }) => inMs === 0);
    if (reminder) return { act: 'remind', matter: reminder.matter };
  }
  const next = [...tellings, ...reminders].reduce((least, { inMs }) => Math.min(least, inMs), longestMs);
  return { act: 'wait', ms: Math.max(next, quietMs) };
}
