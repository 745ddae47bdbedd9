import type { AgentReport } from './wire.ts';

/** A report that no server has taken yet. */
export interface Unsent {
  readonly report: AgentReport;
  /** When the check ended, on a clock that never jumps, milliseconds. */
  readonly checkedAt: number;
}

/** The reports for one server, in the order in which they came. */
export interface Outbox {
  /** Adds the newest report of its check; where there is no room for it, others go. Returns how many went. */
  add(unsent: Unsent): number;
  /** The oldest that wait, at most so many. They stay until `remove`. */
  first(count: number): readonly Unsent[];
  /** Forgets what was sent or refused; what is gone already is left alone. */
  remove(sent: readonly Unsent[]): void;
  /** Keeps the newest of each check alone, for a server that knows no more than that. Returns how many went. */
  keepNewest(): number;
  /** Forgets what was checked before an instant. Returns how many went. */
  forgetBefore(checkedAt: number): number;
  size(): number;
}

/**
 * Room for `maxUnsent` reports. In a full one the oldest report of the same check goes first: what is new about a check
 * replaces what was, and a check that is asked often pushes no other one out. Where it has no other report, the oldest that
 * is not the newest of its check goes. The newest of each check is always kept, also beyond the room.
 */
export function createOutbox(maxUnsent: number): Outbox {
  /** Sets keep the order of their coming. */
  const all = new Set<Unsent>();
  const byCheck = new Map<string, Set<Unsent>>();

  function forget(unsent: Unsent): void {
    if (!all.delete(unsent)) return;
    const name = unsent.report.check_name;
    const own = byCheck.get(name);
    own?.delete(unsent);
    if (own?.size === 0) byCheck.delete(name);
  }

  function forgetAll(some: readonly Unsent[]): number {
    for (const unsent of some) forget(unsent);
    return some.length;
  }

  const hasSeveral = ({ report }: Unsent) => (byCheck.get(report.check_name)?.size ?? 0) > 1;

  /** The one that makes room: the first whose check has several is never the newest of it. */
  function dispensable(name: string): Unsent | undefined {
    const own = byCheck.get(name);
    if (own !== undefined && own.size > 1) return own.values().next().value;
    for (const unsent of all) if (hasSeveral(unsent)) return unsent;
    return undefined;
  }

  return {
    add(unsent) {
      const name = unsent.report.check_name;
      const own = byCheck.get(name) ?? new Set();
      own.add(unsent);
      byCheck.set(name, own);
      all.add(unsent);
      if (all.size <= maxUnsent) return 0;
      const surplus = dispensable(name);
      return surplus === undefined ? 0 : forgetAll([surplus]);
    },
    first(count) {
      const some: Unsent[] = [];
      for (const unsent of all) {
        if (some.length >= count) break;
        some.push(unsent);
      }
      return some;
    },
    remove: (sent) => void forgetAll(sent),
    keepNewest: () => forgetAll([...byCheck.values()].flatMap((own) => [...own].slice(0, -1))),
    forgetBefore: (checkedAt) => forgetAll([...all].filter((unsent) => unsent.checkedAt < checkedAt)),
    size: () => all.size,
  };
}
