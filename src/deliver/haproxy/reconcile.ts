import { describeError, HsdoError } from '../../model/error.ts';
import { canonicalAddress } from './commands.ts';
import type { Remembered } from './decide.ts';
import type { Wanted } from './desired.ts';
import { type Observation, type Reading, readServersState } from './observe.ts';
import { type Change, type Finding, type Held, inTurns, type Plan, planBackend } from './plan.ts';
import type { Refusals } from './refusals.ts';
import { type Lanes, openLanes, sendErrands } from './send.ts';
import { type ProcessInfo, parseInfo } from './show-info.ts';

/** One backend of one HAProxy, and what it should look like. */
export interface BackendTask {
  readonly name: string;
  readonly baseName: string;
  readonly wanted: ReadonlyMap<number, Wanted>;
  readonly remembered: ReadonlyMap<number, Remembered>;
}

/** The last look at a backend. Most looks find it again as it was, but for the seconds that HAProxy counts. */
export interface Seen {
  readonly reading: Reading;
  /** Absent while there was something to do. */
  readonly settled?: { readonly task: BackendTask; readonly plan: Plan };
}

export interface Pass {
  /** As named in the configuration. */
  readonly socket: string;
  readonly timeoutMs: number;
  readonly mayGrow: boolean;
  readonly backends: readonly BackendTask[];
  /** Asks for `show info` even if nothing is to be done. */
  readonly wantsInfo: boolean;
  readonly refusals: Refusals;
  /** Kept by the caller between passes over the same socket; empty at first. */
  readonly seen: Map<string, Seen>;
  /** Saves the memory; awaited before commands that a crash could make look like an operator's. */
  readonly save: (backend: string, remembered: ReadonlyMap<number, Remembered>) => Promise<void>;
}

export interface BackendReport {
  readonly name: string;
  /** Changing commands sent. */
  readonly commands: number;
  /** As last read; absent when the backend could not be read. */
  readonly observed?: Observation;
  /** Servers that still differ from the snapshot. */
  readonly drift: readonly Change[];
  readonly held: readonly Held[];
  readonly missing: readonly number[];
  readonly findings: readonly Finding[];
  readonly remembered: ReadonlyMap<number, Remembered>;
  /** Why this backend could not be brought in order, such as a name that HAProxy does not have. */
  readonly error?: HsdoError;
}

export interface PassReport {
  readonly backends: readonly BackendReport[];
  readonly process?: ProcessInfo;
}

interface Work {
  readonly task: BackendTask;
  observed?: Observation;
  plan?: Plan;
  sent: readonly Change[];
  commands: number;
  findings: readonly Finding[];
  error?: HsdoError;
}

const showServers = (task: BackendTask) => `show servers state ${task.name}`;

function read(work: Work, reply: string, before: Reading | undefined): Reading | undefined {
  const { name: backend, baseName } = work.task;
  try {
    return readServersState(reply, { backend, baseName, canonical: canonicalAddress }, before);
  } catch (error) {
    if (!(error instanceof HsdoError)) throw error;
    work.error = error;
    return undefined;
  }
}

/** Whether the plan of a settled backend is the plan for this task as well. */
function isSameTask({ task, plan }: NonNullable<Seen['settled']>, { wanted, remembered }: BackendTask): boolean {
  return task.wanted === wanted && (task.remembered === remembered || plan.remembered === remembered);
}

function look(work: Work, reply: string, pass: Pass): void {
  const { task } = work;
  const seen = pass.seen.get(task.name);
  const reading = read(work, reply, seen?.reading);
  if (reading === undefined) return void pass.seen.delete(task.name);
  work.observed = reading.observation;
  if (seen?.reading === reading && seen.settled && isSameTask(seen.settled, task)) {
    work.plan = seen.settled.plan;
    return;
  }
  const plan = planBackend({
    observed: work.observed,
    wanted: task.wanted,
    remembered: work.plan?.remembered ?? task.remembered,
    baseName: task.baseName,
    mayGrow: pass.mayGrow,
    sent: new Set(work.sent.map(({ index }) => index)),
  });
  work.plan = plan;
  pass.seen.set(task.name, { reading, ...(plan.changes.length === 0 ? { settled: { task, plan } } : {}) });
}

/** What one backend is to be sent, in two turns. */
interface Due {
  readonly work: Work;
  readonly turns: ReturnType<typeof inTurns>;
}

/** What is to be sent, but for what HAProxy refused a moment ago. */
function dueChanges(work: Work, pass: Pass): readonly Change[] {
  return (work.plan?.changes ?? []).filter((change) => !pass.refusals.isResting(work.task.name, change));
}

async function send(lanes: Lanes, pass: Pass, dues: readonly Due[]): Promise<string> {
  for (const { task, plan } of dues.map(({ work }) => work)) {
    if (plan?.forgets) await pass.save(task.name, plan.remembered);
  }
  const errands = dues.map(({ work: { task }, turns }) => ({ backend: task.name, turns }));
  const questions = [...dues.map(({ work }) => showServers(work.task)), 'show info'];
  const { outcomes, replies } = await sendErrands(pass.socket, lanes, errands, questions);
  for (const [position, { work }] of dues.entries()) {
    const { sent = [], commands = 0, findings = [] } = outcomes[position] ?? {};
    Object.assign(work, { sent, commands, findings });
    look(work, replies[position] ?? '', pass);
    pass.refusals.settle(work.task.name, sent, work.plan?.changes ?? []);
  }
  return replies.at(-1) ?? '';
}

function report(work: Work): BackendReport {
  const { task, plan, observed, error } = work;
  const drift = plan?.changes ?? [];
  // What was refused and is in order all the same is no finding: only the state counts.
  const unsettled = new Set(drift.map(({ server }) => server));
  const refused = work.findings.filter(({ server }) => unsettled.has(server));
  return {
    name: task.name,
    commands: work.commands,
    ...(observed ? { observed } : {}),
    drift,
    held: plan?.held ?? [],
    missing: plan?.missing ?? [],
    findings: [...(plan?.findings ?? []), ...refused],
    remembered: plan?.remembered ?? task.remembered,
    ...(error ? { error } : {}),
  };
}

async function work(lanes: Lanes, pass: Pass): Promise<PassReport> {
  const works: Work[] = pass.backends.map((task) => ({ task, sent: [], commands: 0, findings: [] }));
  const questions = works.map(({ task }) => showServers(task));
  const replies = await lanes.first.pipeline(pass.wantsInfo ? [...questions, 'show info'] : questions);
  for (const [position, one] of works.entries()) look(one, replies[position] ?? '', pass);
  let info = pass.wantsInfo ? (replies.at(-1) ?? '') : '';
  const dues = works
    .map((one): Due => ({ work: one, turns: inTurns(dueChanges(one, pass)) }))
    .filter(({ turns: [out, into] }) => out.length + into.length > 0);
  if (dues.length > 0) info = await send(lanes, pass, dues);
  const process = parseInfo(info);
  return { backends: works.map(report), ...(process ? { process } : {}) };
}

/**
 * One look at one HAProxy, and what it takes to bring it in order: reads the servers, sends the differences in one
 * pipeline (many of them in two, see `send.ts`) and reads back. When nothing differs one `show servers state` per backend is all that
 * is sent. A connection that ends half-way, or leads to the old process of a reload, is tried once more at once.
 *
 * @throws HsdoError `unavailable` when HAProxy cannot be reached; the fault of a single backend is in its report.
 */
export async function reconcile(pass: Pass, signal: AbortSignal): Promise<PassReport> {
  const attempt = async () => {
    const lanes = await openLanes(pass.socket, { timeoutMs: pass.timeoutMs }, signal);
    try {
      return { report: await work(lanes, pass) };
    } catch (error) {
      if (signal.aborted || !(error instanceof HsdoError) || error.code !== 'unavailable') throw error;
      return { error };
    } finally {
      lanes.close();
    }
  };
  const first = await attempt();
  if ('report' in first) return first.report;
  const second = await attempt();
  if ('report' in second) return second.report;
  throw new HsdoError('unavailable', describeError(second.error), { cause: first.error });
}
