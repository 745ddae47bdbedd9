import type { ObserverView } from '../api/view.ts';
import { ago, showTable } from './table.ts';

/** Clocks that differ by less are in step as far as people care. */
const inStepMs = 1000;

/** A table of the agents among the observers; no lines where there are none. `at` is the wall clock of whom was asked. */
export function agentTable(observers: readonly ObserverView[], at: number): string[] {
  const agents = observers.filter(({ kind }) => kind === 'agent');
  if (agents.length === 0) return [];
  const rows = agents.map((agent) => [
    agent.id,
    agent.isFresh ? (agent.abstains === undefined ? 'votes' : 'silent') : 'gone',
    agent.lastSeenAt === undefined ? '-' : ago(agent.lastSeenAt, at),
    clockOf(agent),
    leavesBy(agent),
  ]);
  return ['', showTable(['AGENT', 'STATE', 'LAST REPORT', 'CLOCK', 'LEAVES BY'], rows)];
}

function leavesBy({ isNamed, isTransient }: ObserverView): string {
  if (isNamed === true) return 'agents.ids';
  return isTransient ? 'timeout' : 'decommission';
}

function clockOf({ clockOffsetMs }: ObserverView): string {
  if (clockOffsetMs === undefined) return '-';
  if (Math.abs(clockOffsetMs) < inStepMs) return 'in step';
  return `${(Math.abs(clockOffsetMs) / 1000).toFixed(0)} s ${clockOffsetMs > 0 ? 'ahead' : 'behind'}`;
}
