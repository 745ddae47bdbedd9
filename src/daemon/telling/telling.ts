import { isDeepStrictEqual } from 'node:util';
import { composeNotice, composeReminder, type EventFilter, eventsFor } from '../../deliver/notify/compose.ts';
import type { Notifier } from '../../deliver/notify/notifier.ts';
import { type Cursor, countedAt, type Manner, paceOf, remindersOf } from '../../deliver/notify/pace.ts';
import type { HsdoError } from '../../model/error.ts';
import type { Notice } from '../../model/notice.ts';
import type { Events } from '../../publish/events.ts';
import { type Scope, serviceOf } from '../../publish/events-format.ts';
import type { Told } from '../../publish/events-told.ts';
import type { Term } from '../../publish/term.ts';
import type { Clock } from '../../time/clock.ts';
import type { Standing } from './announcing-round.ts';
import { type Backlog, createBacklog, matterOf, passedOver, readOn } from './telling-backlog.ts';

export interface TellingParts {
  readonly cluster: string;
  readonly notifier: Notifier;
  readonly manner: Manner;
  readonly filter: EventFilter;
  covers(scope: Scope): boolean;
  readonly events: Pick<Events, 'batch'>;
  readonly told: Told;
  readonly clock: Clock;
  /** Calls the notifier with its deadline; resolves with what went wrong. */
  attempt(notice: Notice, signal: AbortSignal): Promise<HsdoError | undefined>;
}

/** One notifier's way through what was announced, for the time of one term after the other. */
export interface Telling {
  /**
   * Does the one thing that is due, if any, and resolves with milliseconds after which to look again. Throws as the store does.
   */
  step(term: Term, standing: Standing, signal: AbortSignal): Promise<number>;
  /** What is read, when another one leads or the store was not as expected. */
  forget(): void;
  /** Up to which batch of a scope the notifier was told; 0 while that is not known. */
  toldSeq(scope: Scope): number;
  /** Events that are still to be told. */
  waiting(): number;
}

/** A notice that is out, which the store was not told yet. */
interface Unrecorded {
  readonly scope: Scope;
  readonly before: Cursor;
  readonly after: Cursor;
}

interface Memory {
  readonly epoch: number;
  readonly backlogs: Map<Scope, Backlog>;
  sentAt: readonly number[];
}

/** What cannot be taken is offered again now and then: a person may mend it. */
const rejectedMs = 60_000;
const idleMs = 1000;
/** After so many refusals the newest is offered alone: one notice that nobody takes must not silence what comes after it. */
const refusalsTogether = 3;

/** Knows nothing before its first step, and asks the store then. */
export function createTelling(parts: TellingParts): Telling {
  const { cluster, manner, filter, covers, events, told, clock, attempt } = parts;
  let memory: Memory | undefined;
  let unrecorded: Unrecorded | undefined;

  async function save(now: Memory, backlog: Backlog, cursor: Cursor, term: Term, signal: AbortSignal): Promise<void> {
    await told.save(new Map([[backlog.scope, cursor]]), undefined, term, signal);
    backlog.cursor = cursor;
    now.backlogs.set(backlog.scope, backlog);
  }
  /** Where the notifier stands with everything; with what it was never told of it begins now. */
  async function recall(term: Term, standing: Standing, signal: AbortSignal): Promise<Memory> {
    // Those of which something was announced before the cursors are read: the cursor of any later one is written with its head.
    const heads = new Map(standing.heads);
    const scopes = [...heads.keys()].filter(covers);
    const { cursors, sentAt } = await told.load(signal);
    const strange = scopes.filter((scope) => !cursors.has(scope));
    const fresh = new Map(strange.map((scope) => [scope, { seq: heads.get(scope)?.head.seq ?? 0 }] as const));
    if (fresh.size > 0) await told.save(fresh, undefined, term, signal);
    const known = new Map([...cursors, ...fresh]);
    const backlogs = scopes.map((scope) => [scope, createBacklog(scope, known.get(scope) ?? { seq: 0 })] as const);
    return { epoch: term.epoch, backlogs: new Map(backlogs), sentAt };
  }
  /** A scope that appeared in this term. */
  async function meet(now: Memory, scope: Scope, signal: AbortSignal): Promise<void> {
    const cursor = (await told.cursor(scope, signal)) ?? { seq: 0 };
    now.backlogs.set(scope, createBacklog(scope, cursor));
  }
  /** Tells the store what is out. Until it knows nothing else is sent, or it would go out again after a change of leader. */
  async function record(now: Memory, term: Term, signal: AbortSignal): Promise<void> {
    if (unrecorded === undefined) return;
    const { scope, before, after } = unrecorded;
    const backlog = now.backlogs.get(scope);
    // Meanwhile another one led, and may have sent it again and recorded that.
    if (backlog === undefined || !isDeepStrictEqual(backlog.cursor, before)) {
      unrecorded = undefined;
      return;
    }
    const sentAt = [...countedAt(now.sentAt, clock.now()), clock.now()].slice(-1000);
    await told.save(new Map([[scope, after]]), sentAt, term, signal);
    now.sentAt = sentAt;
    backlog.cursor = after;
    backlog.batches = backlog.batches.filter(({ seq }) => seq > after.seq);
    backlog.lost = 0;
    backlog.refusals = 0;
    unrecorded = undefined;
  }
  async function read(now: Memory, term: Term, standing: Standing, signal: AbortSignal): Promise<void> {
    for (const [scope, head] of standing.heads) {
      if (!covers(scope)) continue;
      if (!now.backlogs.has(scope)) await meet(now, scope, signal);
      const backlog = now.backlogs.get(scope) as Backlog;
      await readOn(backlog, head, { filter, events, now: clock.now() }, signal);
      const passed = passedOver(backlog);
      if (passed) await save(now, backlog, passed, term, signal);
    }
  }
  /** What goes out next about one scope; what belongs together is fixed in the store first. */
  async function prepare(now: Memory, backlog: Backlog, term: Term, signal: AbortSignal): Promise<Notice> {
    const { scope, batches, refusals } = backlog;
    const offered = refusals < refusalsTogether ? batches : batches.slice(-1);
    const sending = backlog.cursor.sending ?? { from: offered[0]?.seq ?? 0, to: offered.at(-1)?.seq ?? 0 };
    if (backlog.cursor.sending === undefined) await save(now, backlog, { ...backlog.cursor, sending }, term, signal);
    const own = batches.filter(({ seq }) => seq >= sending.from && seq <= sending.to);
    // Once this one is taken nobody is told of those before it any more.
    const lost = backlog.lost + batches.filter(({ seq }) => seq < sending.from).length;
    return composeNotice({ cluster, service: serviceOf(scope), batches: own, filter, lost });
  }
  async function send(
    now: Memory,
    backlog: Backlog,
    notice: Notice,
    after: Cursor,
    term: Term,
    signal: AbortSignal,
  ): Promise<number> {
    const failure = await attempt(notice, signal);
    if (failure === undefined) {
      unrecorded = { scope: backlog.scope, before: backlog.cursor, after };
      await record(now, term, signal);
      return 0;
    }
    if (failure.code !== 'rejected') throw failure;
    backlog.refusals += 1;
    backlog.retryAtMs = clock.monotonic() + Math.max(rejectedMs, failure.retryAfterMs ?? 0);
    const { sending, ...rest } = backlog.cursor;
    // What has come since goes along the next time.
    if (sending !== undefined) await save(now, backlog, rest, term, signal);
    return 0;
  }

  return {
    async step(term, standing, signal) {
      if (memory?.epoch !== term.epoch) memory = await recall(term, standing, signal);
      const now = memory;
      await record(now, term, signal);
      await read(now, term, standing, signal);
      const isFree = ({ retryAtMs }: Backlog) => retryAtMs <= clock.monotonic();
      const matters = [...now.backlogs.values()].flatMap((backlog) => {
        const head = standing.heads.get(backlog.scope);
        return head && isFree(backlog) ? [matterOf(backlog, head, filter)] : [];
      });
      const pace = paceOf(manner, matters, now.sentAt, clock.now());
      if (pace.act === 'wait') return Math.min(pace.ms, idleMs);
      const backlog = now.backlogs.get(pace.matter.scope) as Backlog;
      if (pace.act === 'tell') {
        const notice = await prepare(now, backlog, term, signal);
        const { sending, ...rest } = backlog.cursor;
        return send(now, backlog, notice, { ...rest, seq: sending?.to ?? rest.seq }, term, signal);
      }
      const { outage = { sinceAt: 0, reason: '' } } = pace.matter;
      const n = remindersOf(pace.matter) + 1;
      const service = serviceOf(backlog.scope) ?? '';
      const notice = composeReminder({ cluster, service, outage, n, now: clock.now() });
      const reminders = { outageAt: outage.sinceAt, count: n, at: clock.now() };
      return send(now, backlog, notice, { ...backlog.cursor, reminders }, term, signal);
    },
    forget() {
      memory = undefined;
    },
    toldSeq: (scope) => memory?.backlogs.get(scope)?.cursor.seq ?? 0,
    waiting() {
      const batches = [...(memory?.backlogs.values() ?? [])].flatMap((backlog) => backlog.batches);
      return batches.reduce((sum, batch) => sum + eventsFor(filter, batch).length, 0);
    },
  };
}
