import { isDeepStrictEqual } from 'node:util';
import { describeError, HsdoError } from '../model/error.ts';
import type { Refusal } from '../model/target.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import { createBackoff } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import { heartbeatOf } from '../time/heartbeats.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { AgentServer } from './config.ts';
import { type Exchange, showAnswer } from './exchange.ts';
import type { Jobs } from './jobs.ts';
import { tasksPath, tasksSchema } from './wire.ts';

export interface TaskingParts {
  readonly server: AgentServer;
  readonly exchange: Exchange;
  readonly jobs: Jobs;
  readonly offset: ClockOffset;
  readonly clock: Clock;
  readonly log: Log;
  readonly tasksSeconds: number;
  readonly random: () => number;
  readonly onTasks: (count: number) => void;
}

/** Refusals that one line of the log names. */
const mostTold = 20;

/**
 * Asks a server for its tasks again and again, until the signal is aborted. One that does not answer, or says no, changes
 * nothing: its last tasks go on being checked.
 */
export async function runTasking(parts: TaskingParts, signal: AbortSignal): Promise<void> {
  const { server, exchange, jobs, offset, clock, log, random } = parts;
  const streak = createStreak(log, 'asking a server for tasks', { server: server.name });
  const backoff = createBackoff({ baseMs: 500, maxMs: 30_000, random });
  const path = tasksPath(server.tags);
  const tell = tellChanges(log, server.name);

  /** For how long to wait then, milliseconds. */
  async function ask(): Promise<number> {
    try {
      const answer = await exchange.ask(path, undefined, signal);
      offset.note(answer);
      const tasks = answer.status === 200 ? tasksSchema.safeParse(answer.body).data?.tasks : undefined;
      if (tasks === undefined) {
        const said = showAnswer(answer, server);
        streak.failed(`it answered ${said}${answer.status === 200 ? ', which is no list of tasks' : ''}`);
        return Math.max(backoff.next(), answer.retryAfterMs ?? 0);
      }
      streak.worked();
      backoff.reset();
      const { count, refusals } = jobs.replace(tasks);
      parts.onTasks(count);
      tell(count, refusals);
      // So that a hundred agents that were started at once do not ask at once for ever.
      return parts.tasksSeconds * 1000 * (0.9 + 0.2 * random());
    } catch (error) {
      if (signal.aborted) return 0;
      if (!(error instanceof HsdoError)) throw error;
      streak.failed(describeError(error));
      return backoff.next();
    }
  }

  const heartbeat = heartbeatOf(clock, `tasks of "${server.name}"`);
  try {
    while (!signal.aborted) {
      heartbeat.beat();
      const waitMs = await ask();
      heartbeat.beat(waitMs);
      await pause(clock, waitMs, undefined, signal);
    }
  } finally {
    heartbeat.end();
  }
}

/** Says how many tasks there are and which cannot be done, when that changes. */
function tellChanges(log: Log, server: string): (count: number, refusals: readonly Refusal[]) => void {
  let told: { readonly count: number; readonly refusals: readonly Refusal[] } | undefined;
  return (count, refusals) => {
    if (told?.count !== count) log.info({ server, tasks: count }, 'a server has other tasks');
    const areSame = isDeepStrictEqual(told?.refusals ?? [], refusals);
    told = { count, refusals };
    if (areSame) return;
    const fields = { server, count: refusals.length, tasks: refusals.slice(0, mostTold) };
    if (refusals.length > 0) log.warn(fields, 'a server has tasks that cannot be done here');
    else log.info({ server }, 'all tasks of a server can be done here again');
  };
}
