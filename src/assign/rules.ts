/** How a target's weight grows after it arrives. */
export interface RampRules {
  /** Weight of a new target, 0 to 256. */
  readonly min: number;
  /** Weight at the end of the ramp, 1 to 256. */
  readonly max: number;
  /** Added after every interval. */
  readonly increase: number;
  readonly intervalMs: number;
  /** Weight of the targets of a service's very first list: nobody is there yet who could carry the load meanwhile. */
  readonly first: 'max' | 'min';
}

/** When a removal is too large to be believed at once. */
export interface GuardRules {
  /** Largest share of the occupied slots that may leave in one step, 0 to 1. At least one target may always leave, except the last. */
  readonly maxRemoveShare: number;
  /** Consecutive complete reads of all sources after which a held removal is believed; 0 means only an operator releases it. */
  readonly confirmReads: number;
}

/** What the configuration says about one service's list. */
export interface ListRules {
  /** Number of slots. */
  readonly size: number;
  readonly ramp: RampRules;
  readonly guard: GuardRules;
  /** How long a slot drains after its target left the sources; 0 frees it at once. */
  readonly drainMs: number;
}
