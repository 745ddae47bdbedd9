import { decide, isSettled, leaveMaint, type Remembered, type Step, stricter } from './decide.ts';
import { hasTarget, type Wanted, type WantedTarget } from './desired.ts';
import type { Observation, ObservedServer } from './observe.ts';

/** What brings one server in order, in order of sending. */
export interface Change {
  readonly index: number;
  readonly server: string;
  readonly steps: readonly Step[];
}

/** True when new traffic may reach the server after the change that did not before. */
function letsIn({ steps }: Change): boolean {
  return steps.some((step) => step.do === 'add' || (step.do === 'state' && step.state === 'ready'));
}

/**
 * Changes in the two turns in which they are to be sent: what takes servers out goes first, of all backends, then what
 * lets servers in. So where one target takes over from another, such as one primary database from another, there is no
 * moment in which both get traffic.
 */
export function inTurns(changes: readonly Change[]): readonly [out: readonly Change[], into: readonly Change[]] {
  const [out, into]: [Change[], Change[]] = [[], []];
  for (const change of changes) (letsIn(change) ? into : out).push(change);
  return [out, into];
}

/** A server that an operator took out by hand. */
export interface Held {
  readonly index: number;
  readonly server: string;
  readonly targetName: string;
  readonly state: 'drain' | 'maint';
}

/** A server that cannot be brought in order, and why. */
export interface Finding {
  readonly index: number;
  readonly server: string;
  readonly reason: string;
}

export interface Plan {
  readonly changes: readonly Change[];
  readonly held: readonly Held[];
  /** Indexes of the list that HAProxy has no server for. */
  readonly missing: readonly number[];
  readonly findings: readonly Finding[];
  /** The memory as it must be from now on. */
  readonly remembered: ReadonlyMap<number, Remembered>;
  /** A fulfilled wish was struck out: save the memory before sending, or a crash would make our own maint look manual. */
  readonly forgets: boolean;
}

export interface PlanInput {
  readonly observed: Observation;
  readonly wanted: ReadonlyMap<number, Wanted>;
  readonly remembered: ReadonlyMap<number, Remembered>;
  readonly baseName: string;
  /** Adds the servers that are missing. */
  readonly mayGrow: boolean;
  /** Servers with an agent to which everything was just sent; their state is the agent's from now on. */
  readonly sent?: ReadonlySet<number>;
}

/** Servers of the template are numbered by position, so the distance between id and index is the same for all. */
function idOffset(observed: Observation): number | undefined {
  const offsets = new Set([...observed.servers.values()].map(({ id, index }) => id - index));
  return offsets.size === 1 ? [...offsets][0] : undefined;
}

type Growth = { readonly steps: readonly Step[] } | { readonly reason: string };

/** A server with the id that the template would have given it: only then is its share of a hash ring its own (haproxy#3413). */
function grow(input: PlanInput, wanted: WantedTarget): Growth {
  const offset = idOffset(input.observed);
  if (offset === undefined)
    return { reason: 'no server can be added: the ids of the template do not tell the next one' };
  const id = wanted.index + offset;
  if (input.observed.ids.has(id)) return { reason: `no server can be added: another server has the id ${id}` };
  const hasChecks = [...input.observed.servers.values()].some((server) => server.hasChecks);
  const last = input.remembered.get(wanted.index);
  const manual = last?.targetId === wanted.targetId && !wanted.isForced ? last.manual : undefined;
  const { address, port, weight } = wanted;
  return {
    steps: [
      { do: 'add', id, address, port, hasChecks },
      ...(weight === undefined ? [] : [{ do: 'weight', weight } as const]),
      ...(hasChecks ? [{ do: 'enable-health' } as const] : []),
      ...leaveMaint(stricter(wanted.admin, manual), hasChecks),
    ],
  };
}

/** What comes of one slot. */
interface Outcome {
  readonly steps?: readonly Step[];
  readonly hold?: 'drain' | 'maint' | undefined;
  readonly isMissing?: boolean;
  readonly reason?: string | undefined;
  readonly remembered?: Remembered | undefined;
  readonly forgets?: boolean;
}

/** What is known stays known while the server cannot be dealt with. */
function keep(input: PlanInput, slot: Wanted): Remembered | undefined {
  const last = input.remembered.get(slot.index);
  return hasTarget(slot) && last?.targetId === slot.targetId ? last : undefined;
}

function missingSlot(input: PlanInput, slot: Wanted): Outcome {
  const remembered = keep(input, slot);
  const growth = input.mayGrow && hasTarget(slot) ? grow(input, slot) : {};
  return { isMissing: true, remembered, ...growth };
}

function freeSlot(input: PlanInput, { index, admin }: ObservedServer): Outcome {
  if (admin === 'maint') return {};
  return { steps: [{ do: 'state', state: 'maint' }], forgets: input.remembered.has(index) };
}

function takenSlot(input: PlanInput, server: ObservedServer, slot: WantedTarget): Outcome {
  if (!server.hasAddress) {
    const reason = 'HAProxy has no address for it and takes none: give the server-template "init-addr last,127.0.0.2"';
    return { remembered: keep(input, slot), reason };
  }
  const last = input.remembered.get(slot.index);
  if (last !== undefined && isSettled(server, slot, last)) return { remembered: last };
  return decide(server, slot, last, input.sent?.has(slot.index) === true);
}

function outcomeOf(input: PlanInput, slot: Wanted): Outcome {
  const server = input.observed.servers.get(slot.index);
  if (server !== undefined) return hasTarget(slot) ? takenSlot(input, server, slot) : freeSlot(input, server);
  const unreadable = input.observed.unreadable.find(({ index }) => index === slot.index);
  return unreadable ? { remembered: keep(input, slot), reason: unreadable.reason } : missingSlot(input, slot);
}

/**
 * The difference between what HAProxy says and what the snapshot wants for one backend, as commands. Pure and complete:
 * the plan for a HAProxy that a plan was applied to has no changes.
 */
export function planBackend(input: PlanInput): Plan {
  const changes: Change[] = [];
  const held: Held[] = [];
  const missing: number[] = [];
  const findings: Finding[] = [];
  const remembered = new Map<number, Remembered>();
  let forgets = false;
  const take = (index: number, targetName: string, outcome: Outcome) => {
    const server = `${input.baseName}${index}`;
    if (outcome.steps && outcome.steps.length > 0) changes.push({ index, server, steps: outcome.steps });
    if (outcome.hold !== undefined) held.push({ index, server, targetName, state: outcome.hold });
    if (outcome.isMissing) missing.push(index);
    if (outcome.reason !== undefined) findings.push({ index, server, reason: outcome.reason });
    if (outcome.remembered !== undefined) remembered.set(index, outcome.remembered);
    forgets ||= outcome.forgets === true;
  };
  for (const slot of input.wanted.values())
    take(slot.index, hasTarget(slot) ? slot.targetName : '', outcomeOf(input, slot));
  // Servers of the template beyond the list are free slots.
  for (const server of input.observed.servers.values())
    if (!input.wanted.has(server.index)) take(server.index, '', freeSlot(input, server));
  return { changes, held, missing, findings, remembered, forgets };
}
