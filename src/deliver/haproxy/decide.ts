import type { WantedTarget } from './desired.ts';
import type { AdminState, ObservedServer } from './observe.ts';

/** One changing command for one server, without its spelling. */
export type Step =
  | { readonly do: 'address'; readonly address: string; readonly port: number }
  | { readonly do: 'weight'; readonly weight: number }
  | { readonly do: 'state'; readonly state: AdminState }
  /** Counts the server as down until its checks pass; only for a server with checks, and not in maint. */
  | { readonly do: 'health-down' }
  | {
      readonly do: 'add';
      readonly id: number;
      readonly address: string;
      readonly port: number;
      readonly hasChecks: boolean;
    }
  | { readonly do: 'enable-health' };

/** What a client knows about one server with a target, beyond one look at HAProxy; kept over restarts. */
export interface Remembered {
  readonly targetId: string;
  readonly address: string;
  readonly port: number;
  /** Our own wish that was last seen fulfilled at this address; absent while none was, or while a stricter one is under way. */
  readonly admin?: AdminState;
  /** Whether it was up when last seen outside maint. */
  readonly isUp: boolean;
  /** What an operator set by hand; stands until he sets ready, or the slot gets another target. */
  readonly manual?: 'drain' | 'maint';
  readonly initialWeight: number;
  /** An agent-check sets its weight; the state file may not park it. */
  readonly hasAgent: boolean;
}

const strictness: Readonly<Record<AdminState, number>> = { ready: 0, drain: 1, maint: 2 };

/** The one of two states that lets less through. */
export function stricter(one: AdminState, other: AdminState | undefined): AdminState {
  return other !== undefined && strictness[other] > strictness[one] ? other : one;
}

type Endpoint = { readonly address?: string; readonly port: number };

function isAt(one: Endpoint, other: Endpoint): boolean {
  return one.address === other.address && one.port === other.port;
}

/**
 * What an operator holds the server in. A state stricter than the one that we last saw fulfilled at the same address is
 * his doing. Away from its address (a reload put the placeholder back) only a hold known before counts.
 */
function holdOf(
  observed: ObservedServer,
  wanted: WantedTarget,
  known: Remembered | undefined,
): 'drain' | 'maint' | undefined {
  if (wanted.isForced || known === undefined || observed.hasAgent) return undefined;
  if (!isAt(observed, wanted)) return known.manual;
  const seen = observed.admin;
  if (seen === 'ready') return undefined;
  if (known.manual !== undefined) {
    const mayBeOurs = known.admin === undefined || known.admin === seen;
    return strictness[seen] > strictness[known.manual] && mayBeOurs ? known.manual : seen;
  }
  const isOurs = known.admin === undefined || !isAt(known, wanted) || strictness[seen] <= strictness[known.admin];
  return isOurs || strictness[seen] <= strictness[wanted.admin] ? undefined : seen;
}

/**
 * From maint to `goal`. The gate `drain, health down, ready` keeps a server out until its checks pass: `ready` alone
 * would count it as up at once, and `health down` while in maint is forgotten.
 */
export function leaveMaint(goal: AdminState, isGated: boolean): Step[] {
  if (goal === 'maint') return [];
  if (!isGated) return [{ do: 'state', state: goal }];
  const gate: Step[] = [{ do: 'state', state: 'drain' }, { do: 'health-down' }];
  return goal === 'drain' ? gate : [...gate, { do: 'state', state: 'ready' }];
}

/** The weight to set, if it is not set. */
function weightOf(observed: ObservedServer, { weight }: WantedTarget): number | undefined {
  return weight === observed.weight ? undefined : weight;
}

/** A new address goes in while in maint: on a running server HAProxy would keep the old one's health. */
function moveSteps(
  observed: ObservedServer,
  wanted: WantedTarget,
  goal: AdminState,
  known: Remembered | undefined,
): Step[] {
  const steps: Step[] = observed.admin === 'maint' ? [] : [{ do: 'state', state: 'maint' }];
  steps.push({ do: 'address', address: wanted.address, port: wanted.port });
  const weight = weightOf(observed, wanted);
  if (weight !== undefined) steps.push({ do: 'weight', weight });
  // It served here before HAProxy lost it (a reload without a state file): waiting for checks would only lengthen the gap.
  const wasOut = known?.admin === undefined || known.admin === 'maint';
  const wasServing = !wasOut && known.isUp && isAt(known, wanted);
  return steps.concat(leaveMaint(goal, observed.hasChecks && !wasServing));
}

function stateSteps(observed: ObservedServer, goal: AdminState): Step[] {
  return observed.admin === 'maint' ? leaveMaint(goal, observed.hasChecks) : [{ do: 'state', state: goal }];
}

/** The weight first: on a hash ring it costs nothing while the server is out. */
function tuneSteps(
  observed: ObservedServer,
  wanted: WantedTarget,
  goal: AdminState,
  known: Remembered | undefined,
): Step[] {
  const steps: Step[] = [];
  const weight = weightOf(observed, wanted);
  if (weight !== undefined) {
    // Weight 0 is how the state file brings back a target that was down (state-file.ts): its checks decide, as for a new one.
    const isParked = observed.weight === 0 && observed.admin === 'ready' && observed.isUp && known?.isUp !== true;
    if (isParked && observed.hasChecks) steps.push({ do: 'health-down' });
    steps.push({ do: 'weight', weight });
  }
  return observed.admin === goal ? steps : steps.concat(stateSteps(observed, goal));
}

/** The common case, told quickly: nothing to do, nothing new to remember. `decide` would say the same. */
export function isSettled(observed: ObservedServer, wanted: WantedTarget, last: Remembered): boolean {
  return (
    observed.admin === wanted.admin &&
    weightOf(observed, wanted) === undefined &&
    isAt(observed, wanted) &&
    last.admin === wanted.admin &&
    last.manual === undefined &&
    last.targetId === wanted.targetId &&
    isAt(last, wanted) &&
    (last.isUp === observed.isUp || observed.admin === 'maint') &&
    last.initialWeight === observed.initialWeight &&
    last.hasAgent === observed.hasAgent
  );
}

/** What is to be done with one server. */
export interface Decision {
  readonly steps: readonly Step[];
  /** What an operator holds it in. */
  readonly hold?: 'drain' | 'maint' | undefined;
  readonly remembered: Remembered;
  /** A fulfilled wish was struck out of the memory. */
  readonly forgets: boolean;
}

type State = Pick<Remembered, 'isUp'> & { readonly [Key in 'admin' | 'manual']: Remembered[Key] | undefined };

/** Made field by field: V8 gives every copy by `{ ...object }` a shape of its own here, and then each look at them is slow. */
function remember(wanted: WantedTarget, observed: ObservedServer, { admin, isUp, manual }: State): Remembered {
  const { targetId, address, port } = wanted;
  const { initialWeight, hasAgent } = observed;
  const remembered: { -readonly [Key in keyof Remembered]: Remembered[Key] } = {
    targetId,
    address,
    port,
    isUp,
    initialWeight,
    hasAgent,
  };
  if (admin !== undefined) remembered.admin = admin;
  if (manual !== undefined) remembered.manual = manual;
  return remembered;
}

/**
 * Memory while something is still to be sent. Steps of which half may arrive end in a state that is ours and looks like
 * an operator's; so the fulfilled wish is struck out first, unless only the weight moves.
 */
function meanwhile(last: Remembered | undefined, wanted: WantedTarget, steps: readonly Step[]) {
  const isOfOther = last?.targetId !== wanted.targetId || !isAt(last, wanted);
  if (isOfOther || last.admin === undefined)
    return { admin: undefined, isUp: false, forgets: last?.admin !== undefined };
  const { admin, isUp } = last;
  const keepsState = steps.every((step) => step.do === 'weight' || step.do === 'health-down');
  return keepsState ? { admin, isUp, forgets: false } : { admin: undefined, isUp, forgets: true };
}

/**
 * What one server with a target needs, and what is to be remembered about it. `isSent` says that everything was just
 * sent to it: from then on an agent-check may do with it what it likes.
 */
export function decide(
  observed: ObservedServer,
  wanted: WantedTarget,
  last: Remembered | undefined,
  isSent: boolean,
): Decision {
  const known = last?.targetId === wanted.targetId ? last : undefined;
  const hold = holdOf(observed, wanted, known);
  const goal = stricter(wanted.admin, hold);
  const isHere = isAt(observed, wanted);
  const isLeftToAgent =
    observed.hasAgent && isHere && (isSent || (known?.admin === wanted.admin && isAt(known, wanted)));
  const steps = isLeftToAgent
    ? []
    : isHere
      ? tuneSteps(observed, wanted, goal, known)
      : moveSteps(observed, wanted, goal, known);
  if (steps.length > 0) {
    const { admin, isUp, forgets } = meanwhile(last, wanted, steps);
    return { steps, hold, remembered: remember(wanted, observed, { admin, isUp, manual: hold }), forgets };
  }
  const isUp = observed.admin === 'maint' ? known !== undefined && isAt(known, wanted) && known.isUp : observed.isUp;
  const remembered = remember(wanted, observed, { admin: wanted.admin, isUp, manual: hold });
  return { steps, hold, remembered, forgets: false };
}
