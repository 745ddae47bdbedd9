import type { createCheck } from '../check/health-checks.ts';
import type { CheckJob } from '../check/roster.ts';
import type { Scheduler } from '../check/scheduler.ts';
import { describeError, HsdoError } from '../model/error.ts';
import type { Refusal, Target } from '../model/target.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { type AcceptedTask, parseTask } from './task.ts';
import type { Task } from './wire.ts';

/** What one server wants to have checked, as jobs of the scheduler. */
export interface Jobs {
  /**
   * Takes the whole list as the server gave it. What was there before goes on undisturbed, what is new begins at once,
   * what is gone ends. A task that is wrong is left out; the others go on.
   */
  replace(tasks: readonly unknown[]): { readonly count: number; readonly refusals: readonly Refusal[] };
  /** The task behind a probe of the scheduler; undefined for one of another server. */
  taskOf(service: string, target: Target): Task | undefined;
  /** Ends everything and frees what the checks hold. */
  close(): Promise<void>;
}

export interface JobsParts {
  /** Told apart from those of other servers, and in other agents, whose turns should be others. */
  readonly owner: string;
  readonly scheduler: Pick<Scheduler, 'set' | 'remove'>;
  readonly makeCheck: typeof createCheck;
  readonly clock: Clock;
  readonly log: Log;
  readonly allowExec: boolean;
}

interface Job {
  readonly plan: Omit<CheckJob, 'targets'>;
  tasks: ReadonlyMap<string, Task>;
}

export function createJobs({ owner, scheduler, makeCheck, clock, log, allowExec }: JobsParts): Jobs {
  const jobs = new Map<string, Job>();

  /** @throws HsdoError `config` where the options of the check do not fit the domain. */
  function open({ check: options, task }: AcceptedTask): Job {
    return {
      plan: {
        check: makeCheck(options, { service: task.domain, domain: task.domain, clock }),
        intervalMs: options.intervalSeconds * 1000,
        timeoutMs: options.timeoutSeconds * 1000,
        retries: options.retries,
      },
      tasks: new Map(),
    };
  }

  async function end(name: string): Promise<void> {
    const job = jobs.get(name);
    jobs.delete(name);
    scheduler.remove(name);
    try {
      await job?.plan.check.close?.();
    } catch (error) {
      log.warn({ error }, 'closing a check failed');
    }
  }

  /** Opens what is new; a kind of work that cannot be opened is refused with all its tasks. */
  function set(name: string, some: readonly AcceptedTask[]): readonly Refusal[] {
    const [first] = some;
    if (first === undefined) return [];
    try {
      const job = jobs.get(name) ?? open(first);
      job.tasks = new Map(some.map(({ task }) => [task.check_name, task]));
      jobs.set(name, job);
      scheduler.set(name, { ...job.plan, targets: some.map(({ target }) => target) });
      return [];
    } catch (error) {
      if (!(error instanceof HsdoError)) throw error;
      return some.map(({ task }) => ({ name: task.check_name, reason: describeError(error) }));
    }
  }

  return {
    replace(tasks) {
      const { byName, refusals } = sort(tasks, owner, allowExec);
      const refused = [...refusals, ...[...byName].flatMap(([name, some]) => set(name, some))];
      for (const name of [...jobs.keys()].filter((known) => !byName.has(known))) void end(name);
      return { count: tasks.length - refused.length, refusals: refused };
    },
    taskOf: (service, target) => jobs.get(service)?.tasks.get(target.id),
    async close() {
      await Promise.all([...jobs.keys()].map(end));
    },
  };
}

/** Tasks by the name of their job, and those that cannot be done; of two with one name the first is done. */
function sort(tasks: readonly unknown[], owner: string, allowExec: boolean) {
  const byName = new Map<string, AcceptedTask[]>();
  const refusals: Refusal[] = [];
  const seen = new Set<string>();
  for (const value of tasks) {
    const parsed = parseTask(value, { allowExec });
    if ('refusal' in parsed) {
      refusals.push(parsed.refusal);
      continue;
    }
    const { check_name: checkName } = parsed.task;
    if (seen.has(checkName)) {
      refusals.push({ name: checkName, reason: 'another task has the same check_name' });
      continue;
    }
    seen.add(checkName);
    const name = `${owner} ${parsed.kindOfWork}`;
    const some = byName.get(name);
    if (some === undefined) byName.set(name, [parsed]);
    else some.push(parsed);
  }
  return { byName, refusals };
}
