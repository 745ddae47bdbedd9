import type { Problem } from '../model/problem.ts';
import type { Override, Slot } from '../model/slot.ts';
import type { Hold } from '../model/snapshot.ts';
import type { Refusal } from '../model/target.ts';
import type { LeaseView } from '../publish/lease.ts';
import type { Report } from '../publish/reports.ts';
import type { OverrideRequest } from '../publish/requests.ts';

/** How one source of a service does, in this process. */
export interface SourceView {
  readonly label: string;
  readonly targets: number;
  /** Wall-clock milliseconds. */
  readonly lastSuccessAt?: number;
  readonly lastError?: string;
  readonly nextTryAt?: number;
  readonly refusals: readonly Refusal[];
}

export interface StoreView {
  readonly kind: string;
  /** Wall-clock milliseconds. */
  readonly lastSuccessAt?: number;
  readonly lastError?: string;
  /** Rows of HSDO's table that are no slots. */
  readonly refusals: readonly Refusal[];
}

export interface ServiceView {
  readonly name: string;
  readonly revision: number;
  readonly epoch: number;
  readonly publishedAt?: number;
  readonly size: number;
  readonly taken: number;
  readonly draining: number;
  readonly free: number;
  readonly unplaced: readonly string[];
  readonly hold?: Hold;
  readonly shrinkBlockedBy: readonly number[];
  readonly sources: readonly SourceView[];
  /** Targets that an earlier source of the service reports, too. */
  readonly duplicates: readonly Refusal[];
  readonly overrides: readonly OverrideRequest[];
  readonly clients: readonly Report[];
}

export interface StatusView {
  readonly node: string;
  readonly version: string;
  readonly roles: readonly string[];
  /** Wall-clock milliseconds of this process. */
  readonly at: number;
  readonly store: StoreView;
  readonly lease?: LeaseView;
  readonly problems: readonly Problem[];
  readonly services: readonly ServiceView[];
}

/** All that the API knows of the process around it: questions, and a few commands, each with a deadline of its own. It never gets the parts. */
export interface View {
  status(): Promise<StatusView>;
  /** `undefined`: no such service. */
  slots(service: string): Promise<readonly Slot[] | undefined>;
  problems(): readonly Problem[];
  /** Rejects with `rejected` when the service or the hold is not there. */
  releaseHold(service: string, token: string, by: string): Promise<void>;
  /** `undefined` ends the override. Rejects with `rejected` for a target that the list does not have. */
  override(service: string, target: string, state: Override | undefined, by: string): Promise<void>;
}
