import type { StoreView } from '../api/cluster-view.ts';
import { describeError, HsdoError } from '../model/error.ts';
import type { Problem } from '../model/problem.ts';
import type { Refusal } from '../model/target.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';

/** How the store does, as this process's calls of it show. */
export interface StoreHealth {
  /** Notes the outcome of one call: `undefined` for an answer (a conflict is one), else what was thrown. */
  note(error: unknown): void;
  /** Keeps what the last full read could not make sense of. */
  noteRefusals(refusals: readonly Refusal[]): void;
  /** As the API shows it. */
  view(kind: string): StoreView;
  problems(): readonly Problem[];
}

export function createStoreHealth(role: 'server' | 'client' | 'dns', clock: Clock, metrics: Metrics): StoreHealth {
  let lastSuccessAt: number | undefined;
  let lastError: string | undefined;
  let refusals: readonly Refusal[] = [];
  return {
    note(error) {
      if (error === undefined) {
        lastSuccessAt = clock.now();
        lastError = undefined;
        metrics.storeLastSuccess.set({ role }, lastSuccessAt / 1000);
        return;
      }
      lastError = describeError(error);
      metrics.storeErrors.inc({ role, kind: error instanceof HsdoError ? error.code : 'bug' });
    },
    noteRefusals(found) {
      refusals = found;
    },
    view: (kind) => ({
      kind,
      refusals,
      ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
      ...(lastError === undefined ? {} : { lastError }),
    }),
    problems() {
      if (lastError !== undefined) return [{ part: 'store', message: lastError }];
      return lastSuccessAt === undefined ? [{ part: 'store', message: 'it did not answer yet' }] : [];
    },
  };
}
