import { decide, isSettled, leaveMaint, type Remembered, type Step, stricter } from './decide.ts';
import { hasTarget, type Wanted, type WantedTarget } from './desired.ts';
import type { Observation, ObservedServer } from './observe.ts';

/** What brings one server in order, in order of sending. */
export interface Change {
  readonly index: number;
  readonly server: string;
  readonly steps: readonly Step[];
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
      { do: 'weight', weight },
      ...(hasChecks ? [{ do: 'enable-health' } as const] : []),
      ...leaveMaint(stricter(wanted.admin, manual), hasChecks),
    ],
  };
}

/**
 * The difference between what HAProxy says and what the snapshot wants for one backend, as commands. Pure and complete:
 * the plan for a HAProxy that a plan was applied to has no changes.
 */
export function planBackend(input: PlanInput): Plan {
  const { observed, wanted, baseName } = input;
  const changes: Change[] = [];
  const held: Held[] = [];
  const missing: number[] = [];
  const findings: Finding[] = observed.unreadable.map(({ index, name, reason }) => ({ index, server: name, reason }));
  const remembered = new Map<number, Remembered>();
  const unreadable = new Set(observed.unreadable.map(({ index }) => index));
  let forgets = false;

  const keep = (slot: WantedTarget) => {
    const last = input.remembered.get(slot.index);
    if (last?.targetId === slot.targetId) remembered.set(slot.index, last);
  };
  const addMissing = (slot: Wanted, server: string) => {
    missing.push(slot.index);
    if (!hasTarget(slot)) return;
    keep(slot);
    if (!input.mayGrow) return;
    const growth = grow(input, slot);
    if ('reason' in growth) findings.push({ index: slot.index, server, reason: growth.reason });
    else changes.push({ index: slot.index, server, steps: growth.steps });
  };
  const bring = (server: ObservedServer, slot: WantedTarget) => {
    const { index, name } = server;
    const last = input.remembered.get(index);
    if (last !== undefined && isSettled(server, slot, last)) {
      remembered.set(index, last);
      return;
    }
    const decision = decide(server, slot, last, input.sent?.has(index) === true);
    remembered.set(index, decision.remembered);
    forgets ||= decision.forgets;
    if (decision.steps.length > 0) changes.push({ index, server: name, steps: decision.steps });
    if (decision.hold !== undefined)
      held.push({ index, server: name, targetName: slot.targetName, state: decision.hold });
  };

  const close = ({ index, name, admin }: ObservedServer) => {
    if (admin === 'maint') return;
    forgets ||= input.remembered.has(index);
    changes.push({ index, server: name, steps: [{ do: 'state', state: 'maint' }] });
  };

  for (const slot of wanted.values()) {
    const server = observed.servers.get(slot.index);
    if (unreadable.has(slot.index)) {
      if (hasTarget(slot)) keep(slot);
    } else if (server === undefined) addMissing(slot, `${baseName}${slot.index}`);
    else if (!hasTarget(slot)) close(server);
    else if (server.hasAddress) bring(server, slot);
    else {
      keep(slot);
      const reason =
        'HAProxy has no address for it and takes none: give the server-template "init-addr last,127.0.0.2"';
      findings.push({ index: slot.index, server: server.name, reason });
    }
  }
  for (const server of observed.servers.values()) if (!wanted.has(server.index)) close(server);
  return { changes, held, missing, findings, remembered, forgets };
}
