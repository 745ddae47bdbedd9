import type { SourceView } from '../api/view.ts';
import { isSameSetting } from '../config/same.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { type Merged, merge, type Reading } from '../discover/merge.ts';
import { rankByOrder } from '../discover/rank.ts';
import { createRefresh } from '../discover/refresh.ts';
import { createSource } from '../discover/sources.ts';
import type { Refusal } from '../model/target.ts';
import { runTogether } from './lifecycle.ts';
import type { ProcessParts } from './process.ts';
import type { Known } from './round.ts';

/** What the sources of one service said last. */
export interface FormerReadings {
  readonly source: ServiceConfig['source'];
  /** One for each; `undefined` for one that was never read. */
  readonly readings: readonly (Reading | undefined)[];
}

/** All sources of one service together. */
export interface ServiceSources {
  known(): Known;
  views(): readonly SourceView[];
  /** For whoever takes over from these. */
  former(): FormerReadings;
  /** What was left out because an earlier source reports it, too. */
  duplicates(): readonly Refusal[];
  run(signal: AbortSignal): Promise<void>;
}

/** One read may take this long; a Consul or AWS that needs more is taken for away. */
const deadlineMs = 20_000;

/** Kinds of source whose lists are written by people. */
const byHand: readonly string[] = ['static', 'file'];

/** Names the sources of a service for people: by kind, numbered where one kind stands there twice. */
export function sourceLabels({ source }: Pick<ServiceConfig, 'source'>): readonly string[] {
  const kinds = source.map(({ kind }) => kind);
  return kinds.map((kind, n) => {
    const isAlone = kinds.indexOf(kind) === kinds.lastIndexOf(kind);
    return isAlone ? kind : `${kind}-${kinds.slice(0, n + 1).filter((other) => other === kind).length}`;
  });
}

/**
 * Starts nothing yet; `onNews` is called when any source reports something else than before.
 *
 * @param former - What the sources of this service said before a reload. It stands where they are the same ones.
 */
export function createServiceSources(
  parts: ProcessParts,
  service: ServiceConfig,
  onNews: () => void,
  former?: FormerReadings,
): ServiceSources {
  const { config, clock, log, metrics } = parts;
  const labels = sourceLabels(service);
  const readings = former && isSameSetting(former.source, service.source) ? former.readings : [];
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
      former: readings[n],
      onRead: (isChanged) => {
        if (isChanged) onNews();
      },
    }),
  );
  // What machines report comes in any order; what a person writes down has one.
  const isRanked =
    service.select.kind === 'active-passive' && service.source.every(({ kind }) => byHand.includes(kind));
  let merged: Merged | undefined;
  const latest = () => refreshes.map((refresh) => refresh.latest());
  return {
    known() {
      merged = merge(latest(), merged);
      return isRanked ? { ...merged, targets: rankByOrder(merged.targets) } : merged;
    },
    duplicates: () => merge(latest(), undefined).duplicates,
    former: () => ({ source: service.source, readings: latest() }),
    views: () =>
      refreshes.map((refresh): SourceView => ({ ...refresh.status(), refusals: refresh.latest()?.refusals ?? [] })),
    run: (signal) =>
      runTogether(
        refreshes.map(({ run }) => run),
        signal,
      ),
  };
}
