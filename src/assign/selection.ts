/** One that may answer: it is up, or nothing is and it is served nevertheless. Candidates stand in the order of their slots. */
export interface Candidate {
  readonly id: string;
  /** Share of traffic, 0 to 256. */
  readonly weight: number;
  /** The higher number comes first; absent means 0. */
  readonly priority?: number;
  /** Smoothed times of its checks, milliseconds. */
  readonly connectMs?: number;
  readonly totalMs?: number;
  /** Since when it is up, wall-clock milliseconds; absent means since ever. */
  readonly upSinceAt?: number;
}

interface RttRules {
  /** Until the connection stood, or until the whole answer was there. */
  readonly rttMode: 'connect' | 'total';
  /** Whoever takes longer is no candidate. */
  readonly maxRttMs?: number | undefined;
}

interface Options {
  readonly all: object;
  readonly 'round-robin': object;
  readonly weighted: object;
  readonly priority: object;
  readonly 'active-passive': {
    /** False: an active target stays for as long as it is a candidate. */
    readonly failback: boolean;
    /** How long one that ranks higher must have been up before it becomes the active one. */
    readonly failbackSeconds: number;
  };
  readonly 'best-rtt': RttRules;
  readonly 'group-rtt-rr': RttRules & {
    /** How much slower than the fastest a member of the group may be; absent means any time. */
    readonly groupThresholdMs?: number | undefined;
  };
}

export type SelectionKind = keyof Options;

/** The rules of one kind. */
export type SelectionRulesOf<K extends SelectionKind> = { [P in K]: { readonly kind: P } & Options[P] }[K];

export type SelectionRules = SelectionRulesOf<SelectionKind>;

/** What one selection leaves to the next; `{}` at first. Rules may change between two. */
export interface SelectionState {
  /** The target that an active-passive service points at. */
  readonly active?: string;
  /** The target that an operator wants to be the active one, whatever its rank. */
  readonly required?: string;
  /** Who had the last turn, and its place among the candidates. */
  readonly turn?: { readonly id: string; readonly place: number };
  /** How far each candidate is behind (above 0) or ahead (below) of its share, in units of weight. */
  readonly credits?: ReadonlyMap<string, number>;
}

export interface Selected {
  /**
   * The first is the answer; the others follow in the order in which they would stand in for it, for those who name
   * several. Empty where nobody is eligible, to which the service's `whenAllDown` applies.
   */
  readonly picked: readonly Candidate[];
  readonly state: SelectionState;
}

/** Chooses among candidates. Pure. `now` is the wall clock in milliseconds. */
export type Selection<K extends SelectionKind> = (
  rules: SelectionRulesOf<K>,
  candidates: readonly Candidate[],
  state: SelectionState,
  now: number,
) => Selected;

/** By rank: the highest priority first, among equals the lowest slot. */
export function byRank(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...candidates].sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
}
