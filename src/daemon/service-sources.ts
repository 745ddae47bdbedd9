import type { SourceView } from '../api/view.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { type Merged, merge } from '../discover/merge.ts';
import { rankByOrder } from '../discover/rank.ts';
import { createRefresh } from '../discover/refresh.ts';
import { createSource } from '../discover/sources.ts';
import type { Refusal } from '../model/target.ts';
import { runTogether } from './lifecycle.ts';
import type { ProcessParts } from './process.ts';
import type { Known } from './round.ts';

/** All sources of one service together. */
export interface ServiceSources {
  known(): Known;
  views(): readonly SourceView[];
  /** What was left out because an earlier source reports it, too. */
  duplicates(): readonly Refusal[];
  run(signal: AbortSignal): Promise<void>;
}

/** One read may take this long; a Consul or AWS that needs more is taken for away. */
const deadlineMs = 20_000;

/** Kinds of source whose lists are written by people. */
const byHand: readonly string[] = ['static', 'file'];

/** Names the sources of a service for people: by kind, numbered where one kind stands there twice. */
function labelsOf(kinds: readonly string[]): readonly string[] {
  return kinds.map((kind, n) => {
    const isAlone = kinds.indexOf(kind) === kinds.lastIndexOf(kind);
    return isAlone ? kind : `${kind}-${kinds.slice(0, n + 1).filter((other) => other === kind).length}`;
  });
}

/** Starts nothing yet; `onNews` is called when any source reports something else than before. */
export function createServiceSources(parts: ProcessParts, service: ServiceConfig, onNews: () => void): ServiceSources {
  const { config, clock, log, metrics } = parts;
  const labels = labelsOf(service.source.map(({ kind }) => kind));
  const refreshes = service.source.map((source, n) =>
    createRefresh({
      service: service.name,
      label: labels[n] ?? source.kind,
      source: createSource(source, { aws: config.aws, clock }),
      clock,
      intervalMs: config.intervalSeconds * 1000,
      deadlineMs,
      log,
      metrics,
      onRead: (isChanged) => {
        if (isChanged) onNews();
      },
    }),
  );
  // What machines report comes in any order; what a person writes down has one.
  const isRanked =
    service.select.kind === 'active-passive' && service.source.every(({ kind }) => byHand.includes(kind));
  let merged: Merged | undefined;
  const readings = () => refreshes.map((refresh) => refresh.latest());
  return {
    known() {
      merged = merge(readings(), merged);
      return isRanked ? { ...merged, targets: rankByOrder(merged.targets) } : merged;
    },
    duplicates: () => merge(readings(), undefined).duplicates,
    views: () =>
      refreshes.map((refresh): SourceView => ({ ...refresh.status(), refusals: refresh.latest()?.refusals ?? [] })),
    run: (signal) =>
      runTogether(
        refreshes.map(({ run }) => run),
        signal,
      ),
  };
}
