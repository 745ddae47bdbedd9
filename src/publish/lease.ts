import { describeError, HsdoError, hasCode } from '../model/error.ts';
import type { Version } from '../store/store.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { pause } from '../time/every.ts';
import { heartbeatOf } from '../time/heartbeats.ts';
import { watchForHints } from '../time/hints.ts';
import { createNudge } from '../time/nudge.ts';
import { createSighting } from './lease-sighting.ts';
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
  /** 0 to below 1, for the pauses of a hint that fails; Math.random when left out. */
  readonly random?: () => number;
}

/** What is held since an election. All instants are on this process's monotonic clock. */
interface Tenure {
  readonly term: Term;
  readonly version: Version;
  readonly renewAt: number;
  /** The lease could lapse for others from here on, counted from before the call that took or renewed it. */
  readonly lapsesAt: number;
}

/**
 * Election by lease. A record is taken for expired when its version has not moved for its ttl on our own monotonic
 * clock, as the DynamoDB lock client does, so no two machines' clocks are ever compared. The holder renews at half
 * the ttl, tries again after a twentieth of it, and stops leading a tenth of the ttl before the lease could lapse;
 * after that it leads again only if nobody else was elected meanwhile. Nothing is concluded from a lost answer: a
 * renewal that meets a conflict is read back first. The lease is advisory: what keeps a stale leader from writing is
 * the fence that every commit demands.
 */
export function createLease(options: LeaseOptions): Lease {
  const { home, nodeId, ttlMs, clock, log, onChange, onCall } = options;
  const { pollMs, marginMs, retryMs, callMs } = timingsOf(ttlMs);
  const streak = createStreak(log, 'reaching the lease');
  const sighting = createSighting(clock);
  const nudge = createNudge();
  let tenure: Tenure | undefined;
  /** The epoch that we tried to begin without hearing what became of it. */
  let doubtfulEpoch: number | undefined;
  let [isAway, isRenewing] = [false, false];
  let lapse = new AbortController();
  let told: LeaseView = { state: 'follower', epoch: 0 };

  const leads = () => tenure !== undefined && clock.monotonic() < tenure.lapsesAt - marginMs;
  const view = (): LeaseView => {
    const state: LeaseState = leads() ? 'leader' : tenure && (isAway || isRenewing) ? 'suspended' : 'follower';
    const record = sighting.record();
    const holder = leads() ? nodeId : record?.holder;
    return { state, epoch: Math.max(tenure?.term.epoch ?? 0, record?.epoch ?? 0), ...(holder ? { holder } : {}) };
  };
  const tell = () => {
    const now = view();
    if (now.state === told.state && now.holder === told.holder && now.epoch === told.epoch) return;
    if (now.state !== told.state)
      log.info({ state: now.state, epoch: now.epoch, holder: now.holder }, 'leadership changes');
    told = now;
    onChange?.(now);
  };
  const asked = <T>(what: string, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>) =>
    withDeadline(`The store, asked to ${what} the lease,`, callMs, signal, call, clock);
  const recordOf = (epoch: number, holder = nodeId): LeaseRecord => ({ holder, epoch, ttlMs });
  const hold = (term: Term, version: Version, startedAt: number) => {
    // From the moment on at which the call was begun, the lease is surely ours for its ttl.
    sighting.note(version, recordOf(term.epoch));
    tenure = { term, version, renewAt: startedAt + ttlMs / 2, lapsesAt: startedAt + ttlMs };
    lapse.abort();
    lapse = new AbortController();
    // A millisecond later than the term ends, as timers may come early by a part of one.
    const leftMs = tenure.lapsesAt - marginMs - clock.monotonic();
    clock.sleep(Math.max(0, leftMs) + 1, lapse.signal).then(tell, () => {});
  };
  const look = async (signal: AbortSignal) => {
    const current = await asked('read', signal, (inner) => home.read(inner));
    sighting.note(current?.version, current?.record);
    return current;
  };
  const ownVersion = async (epoch: number, signal: AbortSignal): Promise<Version | undefined> => {
    // One that is ours in this very epoch: only a lost answer of our own can have moved it.
    const current = await look(signal);
    return current?.record.epoch === epoch && current.record.holder === nodeId ? current.version : undefined;
  };

  async function renew({ term, version }: Tenure, signal: AbortSignal): Promise<void> {
    const startedAt = clock.monotonic();
    try {
      const next = await asked('renew', signal, (inner) => home.renew(recordOf(term.epoch), version, inner));
      hold(term, next, startedAt);
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error;
      const own = await ownVersion(term.epoch, signal);
      if (own === version) throw error;
      if (own !== undefined && tenure) {
        tenure = { ...tenure, version: own, renewAt: clock.monotonic() };
        return;
      }
      tenure = undefined;
      lapse.abort();
      log.warn({ epoch: term.epoch }, 'the lease was taken over by another server');
    }
  }

  async function follow(signal: AbortSignal): Promise<void> {
    const current = await look(signal);
    const { holder = '', epoch = 0 } = current?.record ?? {};
    if (doubtfulEpoch !== undefined && (epoch > doubtfulEpoch || (epoch === doubtfulEpoch && holder !== nodeId)))
      doubtfulEpoch = undefined;
    // What we took without hearing of it holds nobody up; whether its fence is ours is not worth asking.
    const isOwn = doubtfulEpoch !== undefined && epoch === doubtfulEpoch;
    if (holder !== '' && !isOwn && sighting.leftMs() > 0) return;
    const startedAt = clock.monotonic();
    const record = recordOf(epoch + 1);
    try {
      const won = await asked('take', signal, (inner) => home.acquire(record, current?.version ?? null, inner));
      doubtfulEpoch = undefined;
      hold(won.term, won.version, startedAt);
    } catch (error) {
      if (hasCode(error, 'conflict')) return;
      doubtfulEpoch = record.epoch;
      throw error;
    }
  }

  async function step(signal: AbortSignal): Promise<void> {
    // Whoever wakes after the end of his term is no leader that waits for the store.
    isRenewing = leads();
    try {
      if (tenure) await renew(tenure, signal);
      else await follow(signal);
      isAway = false;
      streak.worked();
      onCall?.(undefined);
    } catch (error) {
      if (signal.aborted) return;
      isAway = true;
      sighting.missed();
      streak.failed(describeError(error));
      onCall?.(error);
      if (!(error instanceof HsdoError)) throw error;
    } finally {
      isRenewing = false;
    }
  }

  async function handBack(): Promise<void> {
    const held = tenure;
    const epoch = held?.term.epoch ?? doubtfulEpoch;
    tenure = undefined;
    lapse.abort();
    if (epoch === undefined) return;
    const giveUp = (version: Version) => (inner: AbortSignal) => home.renew(recordOf(epoch, ''), version, inner);
    const { signal } = new AbortController();
    try {
      const own = held?.version ?? (await ownVersion(epoch, signal));
      if (own === undefined) return;
      await asked('hand back', signal, giveUp(own)).catch(async (error: unknown) => {
        if (!hasCode(error, 'conflict')) throw error;
        // A renewal was under way when we were stopped: only reading tells what became of it.
        const moved = await ownVersion(epoch, signal);
        if (moved === undefined) throw error;
        await asked('hand back', signal, giveUp(moved));
      });
      log.info({ epoch }, 'the lease is handed back');
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'the lease could not be handed back; it will lapse');
    }
  }

  const restMs = () => {
    if (tenure) return Math.max(0, tenure.renewAt - clock.monotonic());
    return Math.min(pollMs, sighting.leftMs() > 0 ? sighting.leftMs() : pollMs);
  };
  return {
    term() {
      if (!leads() || !tenure) return undefined;
      const { term } = tenure;
      return { ...term, isHeld: () => leads() && tenure?.term.epoch === term.epoch };
    },
    view,
    async run(signal) {
      let hearing: AbortController | undefined;
      const heartbeat = heartbeatOf(clock, 'the lease');
      try {
        while (!signal.aborted) {
          heartbeat.beat(callMs + ttlMs);
          if (tenure) hearing?.abort();
          else if (!hearing || hearing.signal.aborted) hearing = hear(options, nudge.nudge, signal);
          tell();
          await step(signal);
          tell();
          await pause(clock, isAway ? retryMs : restMs(), tenure ? undefined : nudge, signal);
        }
      } finally {
        heartbeat.end();
        hearing?.abort();
        await handBack();
        tell();
      }
    },
  };
}

function timingsOf(ttlMs: number) {
  return {
    pollMs: Math.min(1000, ttlMs / 4),
    marginMs: ttlMs / 10,
    retryMs: ttlMs / 20,
    callMs: Math.max(250, ttlMs / 3),
  };
}

/** While this process follows, a hint of the store wakes it before its next poll; aborting what is given ends that. */
function hear({ home, clock, random }: LeaseOptions, onHint: () => void, signal: AbortSignal): AbortController {
  const hearing = new AbortController();
  const heard = AbortSignal.any([signal, hearing.signal]);
  const backoff = createBackoff({ baseMs: 200, maxMs: 10_000, ...(random ? { random } : {}) });
  void watchForHints((inner) => home.changed?.(inner), onHint, clock, heard, backoff);
  return hearing;
}
