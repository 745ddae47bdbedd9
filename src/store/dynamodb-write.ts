import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { ask, type Table } from './dynamodb-client.ts';
import { awsFailure, verdictOf, wasRepeated } from './dynamodb-failure.ts';

/** What a consistent read after a lost answer shows: our write, another's in its place, or neither so far. */
export type Fate = 'done' | 'overtaken' | 'open';

export interface Write {
  /** Completes "Cannot ... in table x", such as `commit`. */
  readonly what: string;
  send(options: { abortSignal: AbortSignal }): Promise<unknown>;
  /** Looks for the unique mark of this very write. */
  readBack(options: { abortSignal: AbortSignal }): Promise<Fate>;
  /** The error for a write that lost, told apart by what DynamoDB said. */
  conflict(cause: unknown): HsdoError;
}

/** Tries of a write that DynamoDB turned away because another transaction was under way. */
const contentionTries = 5;

/**
 * Sends a conditional write and tells the truth about it. The SDK repeats requests whose answer was lost, and then
 * a write that went through meets its own trace and is refused; so every refusal that follows a lost answer, and
 * every silence, is settled by reading.
 *
 * @throws HsdoError `conflict` when it surely lost, `rejected` when DynamoDB refuses it for good, `unavailable` when
 * it was not done as far as can be seen, or when that cannot be told
 */
export async function writeTruly(table: Table, clock: Clock, write: Write, signal: AbortSignal): Promise<void> {
  let isDoubtful = false;
  for (let tries = 1; ; tries++) {
    const error = await attempt(table, write, signal);
    if (error === undefined) return;
    isDoubtful ||= wasRepeated(error);
    const verdict = verdictOf(error);
    if (verdict === 'refused' && !isDoubtful) throw failure(table, write, error);
    if (verdict === 'condition' && !isDoubtful) throw write.conflict(error);
    if (verdict === 'contention' && tries < contentionTries) {
      await clock.sleep(Math.random() * 25 * 2 ** tries, signal);
      continue;
    }
    return settle(table, write, error, signal);
  }
}

/** The failure of one call with all the SDK's repetitions; `undefined` when it went through. */
async function attempt(table: Table, write: Write, signal: AbortSignal): Promise<unknown> {
  const what = `DynamoDB, asked to ${write.what} in table "${table.name}",`;
  try {
    await withDeadline(what, table.dynamo.callTimeoutMs, signal, (abortSignal) => write.send({ abortSignal }));
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return error;
  }
}

async function settle(table: Table, write: Write, error: unknown, signal: AbortSignal): Promise<void> {
  let fate: Fate;
  try {
    fate = await ask(table, 'read back a write', signal, (options) => write.readBack(options));
  } catch (readError) {
    signal.throwIfAborted();
    const message = `Cannot ${write.what} in table "${table.name}": the answer was lost and it cannot be read what became of the write`;
    throw new HsdoError('unavailable', message, { cause: readError });
  }
  if (fate === 'done') return;
  if (fate === 'overtaken' || verdictOf(error) === 'condition') throw write.conflict(error);
  throw error instanceof HsdoError ? error : failure(table, write, error);
}

function failure(table: Table, write: Write, error: unknown): HsdoError {
  return awsFailure(`Cannot ${write.what} in table "${table.name}"`, table.key, error);
}
