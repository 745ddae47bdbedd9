import { size } from './settings.ts';
import type { ListedSlot, Sight } from './sight.ts';

/** One slot as the screen shows it. */
export interface Row {
  readonly index: number;
  /** `-` for a free slot. */
  readonly target: string;
  readonly address: string;
  readonly state: 'free' | 'joining' | 'up' | 'down' | 'draining' | 'maint' | 'unknown';
  readonly weight: number;
}

/** A row with what its target has to do. */
export interface BusyRow extends Row {
  readonly requestsPerSecond: number;
}

export type StepState = 'passed' | 'running' | 'ahead' | 'failed';

/** Everything that the screen shows; the same view always makes the same frame. */
export interface View {
  readonly elapsedSeconds: number;
  /** What each process does, such as `server leads (epoch 1)`. */
  readonly parts: readonly { readonly name: string; readonly state: string; readonly isFine: boolean }[];
  readonly steps: readonly StepState[];
  readonly title: string;
  readonly text: string;
  readonly rows: readonly BusyRow[];
  readonly maxWeight: number;
  readonly served: number;
  readonly failed: number;
  readonly requestsPerSecond: number;
  /** How to ask DNS, and the addresses that it gives now; `undefined` while it does not answer. */
  readonly names: { readonly command: string; readonly addresses: readonly string[] | undefined };
  /** The newest last. */
  readonly events: readonly string[];
  /** How to look oneself, by a label. */
  readonly hints: readonly (readonly [string, string])[];
}

function stateOf(slot: ListedSlot, sight: Sight, wasUp: ReadonlySet<string>): Row['state'] {
  const server = sight.haproxy?.servers.find(({ index }) => index === slot.index);
  if (slot.state === 'free') return 'free';
  if (!server) return 'unknown';
  if (server.admin === 'ready' && server.isUp) return 'up';
  if (slot.state === 'taken' && !wasUp.has(slot.target?.name ?? '')) return 'joining';
  if (server.admin === 'maint') return 'maint';
  // HAProxy drains who leaves, whom an operator drains, and who is down by hsdo's check; only the last is no draining to a person.
  return slot.state === 'draining' || slot.override === 'drain' ? 'draining' : 'down';
}

/**
 * The table: whose slot it is by hsdo's list, what HAProxy does with it by HAProxy. `wasUp` names the targets that HAProxy
 * had up since they arrived: the others are not down, they are still being looked at.
 */
export function rowsOf(sight: Sight, wasUp: ReadonlySet<string>): readonly Row[] {
  const slots = Array.from({ length: size }, (_, n): ListedSlot => {
    return sight.api?.slots.find(({ index }) => index === n + 1) ?? { index: n + 1, state: 'free' };
  });
  return slots.map((slot) => {
    const server = sight.haproxy?.servers.find(({ index }) => index === slot.index);
    const isFree = slot.state === 'free' || !slot.target;
    return {
      index: slot.index,
      target: slot.target && !isFree ? slot.target.name : '-',
      address: slot.target && !isFree ? `${slot.target.address}:${slot.target.port}` : '',
      state: stateOf(slot, sight, wasUp),
      weight: isFree ? 0 : (server?.weight ?? 0),
    };
  });
}

const words: Readonly<Record<Row['state'], string>> = {
  free: 'is free',
  joining: 'has it now and is checked first',
  up: 'is up',
  down: 'is down',
  draining: 'drains',
  maint: 'is out of service',
  unknown: 'is unknown to HAProxy',
};

/** What changed between two tables: one sentence for each slot, and one for all weights on their ramp. */
export function changes(before: readonly Row[], after: readonly Row[]): readonly string[] {
  const sentences: string[] = [];
  const weights: string[] = [];
  for (const row of after) {
    const was = before.find(({ index }) => index === row.index);
    const isSame = was?.target === row.target && was.state === row.state;
    if (isSame && was.weight !== row.weight) weights.push(`${row.target} ${was.weight} -> ${row.weight}`);
    if (isSame || (row.state === 'free' && was === undefined)) continue;
    if (row.state === 'free') sentences.push(`slot ${row.index} is free, ${was?.target} has left`);
    else
      sentences.push(
        `slot ${row.index}: ${row.target} ${words[row.state]}${row.state === 'up' ? `, weight ${row.weight}` : ''}`,
      );
  }
  return weights.length === 0 ? sentences : [...sentences, `weights: ${weights.join(', ')}`];
}
