import { type CheckConfig, checkSchema } from '../check/health-checks.ts';
import { accept } from '../discover/accept.ts';
import { printable, showValue } from '../discover/show.ts';
import type { Refusal, Target } from '../model/target.ts';
import { type Task, taskSchema } from './wire.ts';

/** A task that this process can do. */
export interface AcceptedTask {
  readonly task: Task;
  readonly check: CheckConfig;
  /** Its id is the name of the task. */
  readonly target: Target;
  /** Equal for tasks that differ in their targets alone. */
  readonly kindOfWork: string;
}

export type ParsedTask = AcceptedTask | { readonly refusal: Refusal };

/** Kinds that need no more than a type. */
const plainTypes: readonly string[] = ['tcp', 'http', 'icmp'];

/**
 * Parses one task as a server gave it. The options of its check are those that it brings, else those of its type; interval
 * and time-out are the task's in any case. Never throws.
 */
export function parseTask(value: unknown, { allowExec }: { readonly allowExec: boolean }): ParsedTask {
  const name = nameOf(value);
  const refuse = (reason: string) => ({ refusal: { name, reason } });
  const parsed = taskSchema.safeParse(value);
  if (!parsed.success) return refuse(firstOf(parsed.error.issues));
  const task = parsed.data;
  const type = task.type.toLowerCase();
  if (task.check === undefined && !plainTypes.includes(type))
    return refuse(
      `type is ${showValue(task.type)}, expected one of ${plainTypes.join(', ')} or the options of a check`,
    );
  const options = {
    ...(task.check ?? { kind: type }),
    intervalSeconds: task.interval_sec,
    timeoutSeconds: task.timeout_sec,
  };
  const check = checkSchema.safeParse(options);
  if (!check.success) return refuse(`check: ${firstOf(check.error.issues)}`);
  const { kind } = check.data;
  if (kind === 'module') return refuse('it wants a file of this machine loaded, which no server may');
  if (kind === 'exec' && !allowExec) return refuse('it wants an executable run, which allowExec does not permit');
  const { targets, refusals } = accept([
    {
      id: task.check_name,
      name: task.check_name,
      address: task.target_ip,
      port: task.port ?? undefined,
      group: task.domain,
    },
  ]);
  const [target] = targets;
  if (target === undefined) return refuse(refusals[0]?.reason ?? 'it is no target');
  if (check.data.kind === 'tcp' && (check.data.port ?? target.port) === undefined)
    return refuse('it has no port, and a check of kind tcp needs one');
  return { task, check: check.data, target, kindOfWork: JSON.stringify([task.domain, options]) };
}

function nameOf(value: unknown): string {
  const name = typeof value === 'object' && value !== null ? (value as Partial<Task>).check_name : undefined;
  return typeof name === 'string' && name !== '' ? printable(name) : 'a task without check_name';
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The first complaint of a schema, with the field that it is about. */
function firstOf([issue]: readonly Issue[]): string {
  if (issue === undefined) return 'it is not what it should be';
  const path = issue.path.map(String).join('.');
  return printable(path === '' ? issue.message : `${path}: ${issue.message}`);
}
