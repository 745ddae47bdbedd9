import { describeError, HsdoError, hasCode } from '../model/error.ts';
import type { Version } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { createStreak } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { pause } from '../time/every.ts';
import type { LeaseHome, LeaseRecord, Term } from './term.ts';

/** `suspended`: was leader, the store is away and the lease could lapse, so nothing is written until it is back. */
export type LeaseState = 'leader' | 'suspended' | 'follower';

export interface LeaseView {
  readonly state: LeaseState;
  /** Who holds the lease as far as this process saw; absent while nobody does. */
  readonly holder?: string;
  readonly epoch: number;
}

/** This process's part in the election. */
export interface Lease {
  /** The right to write, only while this process leads by its own clock. Ask anew before every write. */
  term(): Term | undefined;
  view(): LeaseView;
  /** Takes part until the signal is aborted, then hands the lease back so that the next one need not wait. */
  run(signal: AbortSignal): Promise<void>;
}

export interface LeaseOptions {
  readonly home: LeaseHome;
  readonly nodeId: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after every change of state, and after every failed or successful call of the store. */
  readonly onChange?: (view: LeaseView) => void;
  readonly onCall?: (error: unknown) => void;
}

/** What is held while leading. All instants are on this process's monotonic clock. */
interface Tenure {
  readonly term: Term;
  readonly version: Version;
  /** The lease could lapse for others from here on, counted from before the call that renewed it. */
  readonly lapsesAt: number;
}

/**
 * Election by lease. A record is taken for expired when its version has not moved for its ttl on our own monotonic
 * clock, as the DynamoDB lock client does, so no two machines' clocks are ever compared. The holder renews at half
 * the ttl and stops leading a tenth of the ttl before the lease could lapse. The lease is advisory: what keeps a
 * stale leader from writing is the fence that every commit demands.
 */
export function createLease({ home, nodeId, ttlMs, clock, log, onChange, onCall }: LeaseOptions): Lease {
  const pollMs = Math.min(1000, ttlMs / 4);
  const marginMs = ttlMs / 10;
  const streak = createStreak(log, 'reaching the lease');
  let tenure: Tenure | undefined;
  let seen: { version: Version; record: LeaseRecord; firstSeenAt: number } | undefined;
  let isAway = false;
  let ledLast = false;
  let told: LeaseView = { state: 'follower', epoch: 0 };

  const leads = () => tenure !== undefined && clock.monotonic() < tenure.lapsesAt - marginMs;
  const view = (): LeaseView => {
    const state: LeaseState = leads() ? 'leader' : ledLast && isAway ? 'suspended' : 'follower';
    const holder = leads() ? nodeId : seen?.record.holder;
    return { state, epoch: Math.max(tenure?.term.epoch ?? 0, seen?.record.epoch ?? 0), ...(holder ? { holder } : {}) };
  };
  const tell = () => {
    const now = view();
    if (now.state === told.state && now.holder === told.holder && now.epoch === told.epoch) return;
    if (now.state !== told.state)
      log.info({ state: now.state, epoch: now.epoch, holder: now.holder }, 'leadership changes');
    told = now;
    onChange?.(now);
  };
  const note = (version: Version, record: LeaseRecord) => {
    if (seen?.version !== version) seen = { version, record, firstSeenAt: clock.monotonic() };
  };
  const asked = <T>(what: string, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>) =>
    withDeadline(`The store, asked to ${what} the lease,`, Math.max(250, ttlMs / 2), signal, call);

  async function renew(held: Tenure, signal: AbortSignal): Promise<void> {
    const record: LeaseRecord = { holder: nodeId, epoch: held.term.epoch, ttlMs };
    const startedAt = clock.monotonic();
    try {
      const version = await asked('renew', signal, (inner) => home.renew(record, held.version, inner));
      note(version, record);
      tenure = { ...held, version, lapsesAt: startedAt + ttlMs };
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
      tenure = undefined;
      ledLast = false;
      log.warn({ epoch: held.term.epoch }, 'the lease was taken over by another server');
    }
  }

  async function follow(signal: AbortSignal): Promise<void> {
    const current = await asked('read', signal, (inner) => home.read(inner));
    if (current) note(current.version, current.record);
    else seen = undefined;
    ledLast = false;
    const isVacant = !current || current.record.holder === '';
    const isExpired = seen !== undefined && clock.monotonic() - seen.firstSeenAt >= seen.record.ttlMs;
    if (!isVacant && !isExpired) return;
    const record: LeaseRecord = { holder: nodeId, epoch: (current?.record.epoch ?? 0) + 1, ttlMs };
    const startedAt = clock.monotonic();
    try {
      const won = await asked('take', signal, (inner) => home.acquire(record, current?.version ?? null, inner));
      note(won.version, record);
      ledLast = true;
      tenure = { term: won.term, version: won.version, lapsesAt: startedAt + ttlMs };
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
    }
  }

  async function step(signal: AbortSignal): Promise<void> {
    try {
      if (tenure && clock.monotonic() >= tenure.lapsesAt) tenure = undefined;
      if (tenure) await renew(tenure, signal);
      else await follow(signal);
      isAway = false;
      streak.worked();
      onCall?.(undefined);
    } catch (error) {
      if (signal.aborted) return;
      isAway = true;
      streak.failed(describeError(error));
      onCall?.(error);
      if (!(error instanceof HsdoError)) throw error;
    }
  }

  async function handBack(): Promise<void> {
    const held = tenure;
    tenure = undefined;
    ledLast = false;
    if (!held) return;
    const record: LeaseRecord = { holder: '', epoch: held.term.epoch, ttlMs };
    const patience = new AbortController();
    await asked('hand back', patience.signal, (inner) => home.renew(record, held.version, inner)).then(
      () => log.info({ epoch: held.term.epoch }, 'the lease is handed back'),
      (error: unknown) =>
        log.warn({ reason: describeError(error) }, 'the lease could not be handed back; it will lapse'),
    );
  }

  return {
    term: () => (leads() ? tenure?.term : undefined),
    view,
    async run(signal) {
      try {
        while (!signal.aborted) {
          await step(signal);
          tell();
          const delayMs = isAway ? ttlMs / 10 : tenure ? ttlMs / 2 : pollMs;
          await pause(clock, delayMs, undefined, signal);
        }
      } finally {
        await handBack();
        tell();
      }
    },
  };
}
