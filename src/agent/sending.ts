import { describeError, HsdoError } from '../model/error.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import { createNudge } from '../time/nudge.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { AgentServer } from './config.ts';
import type { Exchange } from './exchange.ts';
import { createOutbox, type Unsent } from './outbox.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { outliving } from './outliving.ts';
import { jsonOf } from './reports.ts';
import { createTelling } from './telling.ts';
import { type AgentReport, agentPaths } from './wire.ts';

/** The way of reports to one server. */
export interface Sending {
  /** Takes a report of a check that ended now. */
  add(report: AgentReport): void;
  /** Sends until the signal is aborted; then tries once more what is left, for at most 2 s. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SendingParts {
  readonly server: AgentServer;
  readonly exchange: Exchange;
  readonly offset: ClockOffset;
  readonly clock: Clock;
  readonly log: Log;
  readonly batchSeconds: number;
  readonly maxUnsent: number;
  readonly random: () => number;
  /** Told of reports that were taken, refused by the server, or dropped because newer ones need the room or nobody needs them any more. */
  readonly onSettled: (outcome: 'accepted' | 'refused' | 'dropped', count: number) => void;
  readonly onUnsent: (count: number) => void;
}

/** A server takes 1000 in one body of 1 MiB, if nobody configured less. */
const mostReports = 500;
const mostBytes = 524_288;
/** Nobody wants to know what was longer ago. */
const oldestMs = 86_400_000;
const lastTryMs = 2000;
const atOnceSingly = 8;
const idleMs = 3_600_000;

type Settled = Outcome & { readonly kind: 'settled' };

const settledAlready: Settled = { kind: 'settled', refused: [], postponed: [], receipt: undefined };

export function createSending(parts: SendingParts): Sending {
  const { server, exchange, offset, clock, log, onSettled, onUnsent, random } = parts;
  const outbox = createOutbox(parts.maxUnsent);
  const arrived = createNudge();
  const streak = createStreak(log, 'reporting to a server', { server: server.name });
  const backoff = createBackoff({ baseMs: 500, maxMs: 10_000, random });
  const telling = createTelling(log, 'a server refuses reports', { server: server.name });
  let most = mostReports;
  let isSingly = false;

  function dropped(count: number): void {
    if (count > 0) onSettled('dropped', count);
  }

  function settle(sent: readonly Unsent[], { refused, postponed, receipt }: Settled): void {
    const later = new Set(postponed.map(({ unsent }) => unsent));
    const done = sent.filter((unsent) => !later.has(unsent));
    outbox.remove(done);
    onUnsent(outbox.size());
    // A server that names one twice must not make us count it twice.
    const refusedOnce = new Set(refused.map(({ unsent }) => unsent)).size;
    if (done.length > refusedOnce) onSettled('accepted', done.length - refusedOnce);
    if (refusedOnce > 0) onSettled('refused', refusedOnce);
    for (const { unsent, reason } of refused) telling.tell(reason, { check: unsent.report.check_name });
    // Only a server of hsdo says so, and it takes lists: another one was there before.
    if (receipt?.accepted !== undefined) isSingly = false;
  }

  async function send(sent: readonly Unsent[], isList: boolean, signal: AbortSignal): Promise<Outcome> {
    const now = clock.monotonic();
    const texts = sent.map((unsent) => jsonOf(unsent, now));
    const answer = await exchange.ask(agentPaths.report, isList ? `[${texts.join(',')}]` : texts[0], signal);
    const outcome = outcomeOf(answer, sent, { isList, server });
    const serverTime = outcome.kind === 'settled' ? outcome.receipt?.server_time : undefined;
    offset.note(answer, serverTime === undefined ? undefined : serverTime * 1000);
    if (outcome.kind !== 'settled') return outcome;
    settle(sent, outcome);
    const [first] = outcome.postponed;
    if (first === undefined) return outcome;
    return { kind: 'later', reason: `it answered ${first.reason}`, waitMs: answer.retryAfterMs ?? 0 };
  }

  /** The next list, and none longer than a server reads. */
  function nextList(): readonly Unsent[] {
    const [now, list] = [clock.monotonic(), outbox.first(most)];
    let bytes = 0;
    const end = list.findIndex((unsent) => {
      bytes += Buffer.byteLength(jsonOf(unsent, now)) + 1;
      return bytes > mostBytes;
    });
    return end === -1 ? list : list.slice(0, Math.max(1, end));
  }

  async function sendList(signal: AbortSignal): Promise<Outcome> {
    const list = nextList();
    const outcome = await send(list, true, signal);
    if (outcome.kind === 'smaller') most = Math.max(1, Math.floor(list.length / 2));
    if (outcome.kind === 'singly') {
      isSingly = true;
      log.info(
        { server: server.name },
        'a server takes one report at a time, so the newest of each check is sent by itself',
      );
    }
    return outcome;
  }

  async function sendSingly(signal: AbortSignal): Promise<Outcome> {
    // It keeps no more than the newest itself, whatever that says.
    dropped(outbox.keepNewest());
    const few = outbox.first(atOnceSingly);
    const outcomes = await Promise.all(few.map((unsent) => send([unsent], false, signal)));
    return outcomes.find(({ kind }) => kind === 'later') ?? settledAlready;
  }

  /** Sends all that waits now; what comes meanwhile is gathered for the next time. Gives `undefined`, or for how long the server must be left alone at least, in milliseconds. */
  async function sendAll(signal: AbortSignal): Promise<number | undefined> {
    const beganAt = clock.monotonic();
    try {
      dropped(outbox.forgetBefore(beganAt - oldestMs));
      while (outbox.first(1).some(({ checkedAt }) => checkedAt <= beganAt)) {
        const outcome = await (isSingly ? sendSingly(signal) : sendList(signal));
        if (outcome.kind !== 'later') continue;
        streak.failed(outcome.reason);
        return outcome.waitMs;
      }
      streak.worked();
      backoff.reset();
      return undefined;
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
      return 0;
    } finally {
      onUnsent(outbox.size());
    }
  }

  async function sendUntilStopped(stop: AbortSignal, patient: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      if (outbox.size() === 0) await pause(clock, idleMs, arrived, stop);
      await pause(clock, parts.batchSeconds * 1000, undefined, stop);
      if (stop.aborted) break;
      const waitMs = await sendAll(patient);
      if (waitMs !== undefined) await pause(clock, Math.max(waitMs, backoff.next()), undefined, stop);
    }
    await sendAll(patient);
  }

  return {
    add(report) {
      dropped(outbox.add({ report, checkedAt: clock.monotonic() }));
      onUnsent(outbox.size());
      arrived.nudge();
    },
    run: (signal) => outliving(signal, lastTryMs, clock, (patient) => sendUntilStopped(signal, patient)),
  };
}
