import type { Problem } from '../model/problem.ts';

/** What a role of this process tells of itself. */
export interface RoleReport {
  readonly problems: () => readonly Problem[];
  /** In a few words what it does at the moment: `leads in epoch 7`. */
  readonly says?: () => string;
}

/** Whether the process does its work: all of its roles together, as /readyz and systemd hear it. */
export interface Readiness {
  readonly roles: readonly string[];
  /** A role has its parts together; until then that it has not is its problem. */
  tell(role: string, report: RoleReport): void;
  /** Empty while every role does its work. */
  problems(): readonly Problem[];
  /** One line for people: every role, then what is wrong. */
  line(): string;
}

/** Problems that the line names. */
const mostNamed = 3;
const longestLine = 400;

export function createReadiness(roles: readonly string[]): Readiness {
  const reports = new Map<string, RoleReport>();
  const problems = () => {
    const all = roles.flatMap((role) => reports.get(role)?.problems() ?? [{ part: role, message: 'it is starting' }]);
    // A server tells of DNS in its process, too.
    const distinct = new Map(all.map((problem) => [JSON.stringify([problem.part, problem.message]), problem]));
    return [...distinct.values()];
  };
  return {
    roles,
    tell: (role, report) => void reports.set(role, report),
    problems,
    line() {
      const said = roles.map((role) => {
        const words = reports.get(role)?.says?.();
        return words === undefined ? role : `${role} ${words}`;
      });
      const found = problems();
      const named = found.slice(0, mostNamed).map(({ part, message }) => `${part}: ${message}`);
      const rest = found.length > mostNamed ? [`and ${found.length - mostNamed} more`] : [];
      const state = found.length === 0 ? 'all is well' : [...named, ...rest].join('; ');
      const line = `${said.join(', ')} - ${state}`.replaceAll(/\s+/g, ' ');
      return line.length > longestLine ? `${line.slice(0, longestLine - 3)}...` : line;
    },
  };
}
