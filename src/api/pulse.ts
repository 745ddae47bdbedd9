/** How one target does at this moment, as this very process sees it. */
export interface TargetPulse {
  readonly id: string;
  /** Absent while this process has no opinion of it. */
  readonly health?: 'up' | 'down';
  /** How long the last probe took, milliseconds; absent where it is down or nothing was measured. */
  readonly totalMs?: number;
}

/** How everything does at this moment, out of the process's memory alone: asking for it costs the store nothing. */
export interface Pulse {
  readonly services: readonly { readonly name: string; readonly targets: readonly TargetPulse[] }[];
  /** Absent where the process answers no DNS. */
  readonly queriesPerSecond?: number;
}

/** The last quarter of an hour in equal steps, the oldest first; every list has one entry a step. */
export interface HistoryView {
  /** Milliseconds. */
  readonly stepMs: number;
  /** When the last step was noted, wall-clock milliseconds; 0 before the first. */
  readonly endAt: number;
  readonly targets: readonly {
    readonly id: string;
    /** A letter a step: `u` up, `d` down, `-` not known. */
    readonly health: string;
    readonly totalMs: readonly (number | null)[];
  }[];
}
