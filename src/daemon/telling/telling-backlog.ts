import { type Batch, type EventFilter, eventsFor } from '../../deliver/notify/compose.ts';
import type { Cursor, Matter } from '../../deliver/notify/pace.ts';
import { type Events, type KnownHead, longestMs } from '../../publish/events.ts';
import { type Scope, serviceOf } from '../../publish/events-format.ts';

/** What one notifier has to tell of one scope. */
export interface Backlog {
  readonly scope: Scope;
  cursor: Cursor;
  /** In order; only batches with something to say to this notifier. */
  batches: readonly Batch[];
  /** Up to this batch all were read. */
  readSeq: number;
  /** Batches that are gone, or too old to be told. */
  lost: number;
  /** Not before this moment, monotonic milliseconds. */
  retryAtMs: number;
  /** How often in a row it was refused for good. */
  refusals: number;
}

/** Batches that one notice may bring together. */
const mostTogether = 500;
const readAtOnce = 8;

/** Nothing is read yet of what stands after the cursor. */
export function createBacklog(scope: Scope, cursor: Cursor): Backlog {
  return { scope, cursor, batches: [], readSeq: cursor.seq, lost: 0, retryAtMs: 0, refusals: 0 };
}

/**
 * Reads what was announced since, as far as it goes into one notice.
 *
 * @param now - Wall-clock milliseconds; what was announced more than a week ago is not told any more.
 */
export async function readOn(
  backlog: Backlog,
  { head }: KnownHead,
  options: { readonly filter: EventFilter; readonly events: Pick<Events, 'batch'>; readonly now: number },
  signal: AbortSignal,
): Promise<void> {
  const { filter, events, now } = options;
  // What was removed before it was told is not asked for one by one.
  const gap = Math.max(0, head.first - 1 - backlog.readSeq);
  backlog.readSeq += gap;
  backlog.lost += gap;
  while (backlog.readSeq < head.seq && backlog.batches.length < mostTogether) {
    const count = Math.min(readAtOnce, head.seq - backlog.readSeq);
    const seqs = Array.from({ length: count }, (_, n) => backlog.readSeq + 1 + n);
    const read = await Promise.all(seqs.map((seq) => events.batch(backlog.scope, seq, signal)));
    const current = read.flatMap((batch) => (batch !== undefined && batch.at >= now - longestMs ? [batch] : []));
    backlog.lost += seqs.length - current.length;
    backlog.batches = [...backlog.batches, ...current.filter((batch) => eventsFor(filter, batch).length > 0)];
    backlog.readSeq += seqs.length;
  }
}

/** Batches of which nothing is to be said are passed over; `undefined` where there are none. */
export function passedOver({ cursor, batches, readSeq }: Backlog): Cursor | undefined {
  const upTo = (batches[0]?.seq ?? readSeq + 1) - 1;
  if (cursor.sending !== undefined) {
    const { from, to } = cursor.sending;
    if (batches.some(({ seq }) => seq >= from && seq <= to) || readSeq < to) return undefined;
    const { sending: _sending, ...rest } = cursor;
    return { ...rest, seq: Math.max(to, upTo) };
  }
  return upTo > cursor.seq ? { ...cursor, seq: upTo } : undefined;
}

/** The same for the one who decides what comes next. */
export function matterOf({ scope, cursor, batches }: Backlog, { head }: KnownHead, filter: EventFilter): Matter {
  const { outage } = head.service ?? {};
  const isReminded = outage !== undefined && (filter.kinds?.includes('service-down') ?? true);
  const [oldest] = batches;
  return {
    scope,
    cursor,
    ...(oldest === undefined ? {} : { waitingSinceAt: oldest.at }),
    ...(isReminded && serviceOf(scope) !== undefined ? { outage } : {}),
  };
}
