import { HsdoError } from '../../model/error.ts';
import { isFromOldWorker, refusalIn, renderSteps } from './commands.ts';
import type { Change, Finding } from './plan.ts';
import { openRuntimeApi, type RuntimeApi } from './runtime-api.ts';

/**
 * The connections of one pass. HAProxy answers the commands of one connection one by one, each with a write of its own,
 * on one of its threads; a second connection gets a second thread to work. Opened only where there is much to send.
 */
export interface Lanes {
  readonly first: RuntimeApi;
  readonly second: () => Promise<RuntimeApi>;
  close(): void;
}

/** Opens the first lane. Throws as `openRuntimeApi` does. */
export async function openLanes(
  socket: string,
  options: { readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Lanes> {
  const first = await openRuntimeApi(socket, options, signal);
  let second: RuntimeApi | undefined;
  return {
    first,
    second: async () => {
      second ??= await openRuntimeApi(socket, options, signal);
      return second;
    },
    close() {
      first.close();
      second?.close();
    },
  };
}

/** What one backend is to be sent, in two turns: what takes servers out, then what lets servers in. */
export interface Errands {
  readonly backend: string;
  readonly turns: readonly (readonly Change[])[];
}

/** What became of the errands of one backend. */
export interface Outcome {
  readonly sent: readonly Change[];
  /** Commands. */
  readonly commands: number;
  /** Values that must not be sent, and what HAProxy refused. */
  readonly findings: readonly Finding[];
}

interface Draft {
  readonly sent: Change[];
  commands: number;
  readonly findings: Finding[];
}

/** One server's change, and where its outcome is noted. */
interface Errand {
  readonly backend: string;
  readonly change: Change;
  readonly outcome: Draft;
}

/** What a command that was sent was for. */
interface Line {
  readonly errand: Errand;
  readonly step: Change['steps'][number];
}

/** Changes from which on a second connection is worth its opening and the waits between the turns. */
const manyChanges = 100;

function note({ outcome, change: { index, server } }: Errand, reason: string): void {
  outcome.findings.push({ index, server, reason });
}

/** The steps that a server may be sent, with their texts; none when a value of it must not be sent, which becomes a finding. */
function textsOf(errand: Errand): readonly string[] {
  try {
    return renderSteps(errand.backend, errand.change.server, errand.change.steps);
  } catch (error) {
    if (!(error instanceof HsdoError)) throw error;
    note(errand, error.message);
    return [];
  }
}

/** Spells the commands out one by one, while the first ones are on their way, and notes in `lines` what each was for. */
function* spell(errands: Iterable<Errand>, lines: Line[]): Generator<string> {
  for (const errand of errands) {
    const texts = textsOf(errand);
    if (texts.length === 0) continue;
    errand.outcome.sent.push(errand.change);
    errand.outcome.commands += texts.length;
    for (const [position, step] of errand.change.steps.entries()) {
      lines.push({ errand, step });
      yield texts[position] ?? '';
    }
  }
}

function readReplies(socket: string, lines: readonly Line[], replies: readonly string[]): void {
  for (const [position, { errand, step }] of lines.entries()) {
    const reply = replies[position] ?? '';
    if (isFromOldWorker(reply))
      throw new HsdoError(
        'unavailable',
        `HAProxy at "${socket}" is an old process that ends after a reload; expected the new one`,
      );
    const refusal = refusalIn(step, reply);
    if (refusal !== undefined) note(errand, `HAProxy refused "${step.do}": ${refusal}`);
  }
}

function* oneAfterOther(lines: Line[], turns: readonly (readonly Errand[])[], questions: readonly string[]) {
  for (const turn of turns) yield* spell(turn, lines);
  yield* questions;
}

/** Everything in one go: the questions are answered after all that was sent before them. */
async function inOneLane(socket: string, api: RuntimeApi, turns: readonly Errand[][], questions: readonly string[]) {
  const lines: Line[] = [];
  const replies = await api.pipeline(oneAfterOther(lines, turns, questions));
  readReplies(socket, lines, replies);
  return replies.slice(lines.length);
}

/** All commands for one server go through one lane, in order; the second turn starts when the first was answered on both. */
async function inTwoLanes(socket: string, lanes: Lanes, turns: readonly Errand[][], questions: readonly string[]) {
  const apis = [lanes.first, await lanes.second()];
  for (const turn of turns) {
    const shares = apis.map(async (api, lane) => {
      const lines: Line[] = [];
      const share = turn.filter((_, position) => position % apis.length === lane);
      const replies = await api.pipeline(spell(share, lines));
      readReplies(socket, lines, replies);
    });
    await Promise.all(shares);
  }
  return lanes.first.pipeline(questions);
}

/**
 * Sends what every backend is to be sent, first turns before second ones, and then asks `questions`, whose replies show
 * the state after all of it. The outcomes are in the order of `backends`.
 *
 * @throws HsdoError `unavailable` when HAProxy went away, or is the old process of a reload.
 */
export async function sendErrands(
  socket: string,
  lanes: Lanes,
  backends: readonly Errands[],
  questions: readonly string[],
): Promise<{ outcomes: readonly Outcome[]; replies: readonly string[] }> {
  const outcomes = backends.map((): Draft => ({ sent: [], commands: 0, findings: [] }));
  const turns = [0, 1].map((turn) =>
    backends.flatMap(({ backend, turns: changes }, position) =>
      (changes[turn] ?? []).map((change): Errand => ({ backend, change, outcome: outcomes[position] as Draft })),
    ),
  );
  const isMuch = turns.flat().length >= manyChanges;
  const replies = isMuch
    ? await inTwoLanes(socket, lanes, turns, questions)
    : await inOneLane(socket, lanes.first, turns, questions);
  return { outcomes, replies };
}
