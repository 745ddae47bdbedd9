import { z } from 'zod';
import type { TargetStatistics } from '../check/statistics.ts';
import { probeCodes } from '../model/probe.ts';
import { type Change, maxCommitChanges, type Store } from '../store/store.ts';

/** Statistics of one service by the target's id. */
export type ServiceStatistics = ReadonlyMap<string, TargetStatistics>;

/** The statistics of checks over restarts; each observer keeps its own, in a store beside it. */
export interface StatisticsKeeper {
  /** What was kept of one service; what cannot be read is begun anew. */
  load(service: string, signal: AbortSignal): Promise<ServiceStatistics>;
  /** Writes everything about one service; unchanged parts are not written again. */
  save(service: string, statistics: ServiceStatistics, signal: AbortSignal): Promise<void>;
}

const count = z.int().min(0);
const instant = z.number().min(0);
const duration = z.number().min(0);

/** The statistics of one target, as they are kept and shown. */
export const statisticsSchema: z.ZodType<TargetStatistics> = z.object({
  successes: count,
  timeouts: count,
  connectErrors: count,
  responseErrors: count,
  otherErrors: count,
  firstAt: instant,
  lastAt: instant,
  lastSuccessAt: instant.exactOptional(),
  lastFailureAt: instant.exactOptional(),
  lastCode: z.enum(probeCodes),
  lastMessage: z.string(),
  connectMs: duration.exactOptional(),
  totalMs: duration.exactOptional(),
});
const page = z.array(z.tuple([z.string(), statisticsSchema]));

/** So many targets share a record: at most 700 bytes each, well below what a value may hold. */
const targetsPerPage = 100;

const rootOf = (service: string) => `statistics/${encodeURIComponent(service)}/`;
const keyOf = (service: string, n: number) => `${rootOf(service)}${String(n).padStart(4, '0')}`;

export function createStatisticsKeeper(store: Store): StatisticsKeeper {
  /** What was written last, by key. */
  const written = new Map<string, string>();
  return {
    async load(service, signal) {
      const entries = await store.list(rootOf(service), signal);
      for (const { key, value } of entries) written.set(key, value);
      return new Map(entries.flatMap(({ value }) => parse(value)));
    },
    async save(service, statistics, signal) {
      const pages = pagesOf(statistics);
      const changes: Change[] = [];
      for (const [n, value] of pages.entries()) {
        const key = keyOf(service, n);
        if (written.get(key) !== value) changes.push({ op: 'put', key, value });
      }
      for (const key of written.keys()) {
        const isLeft = key.startsWith(rootOf(service)) && Number(key.slice(rootOf(service).length)) >= pages.length;
        if (isLeft) changes.push({ op: 'delete', key });
      }
      for (let at = 0; at < changes.length; at += maxCommitChanges) {
        const part = changes.slice(at, at + maxCommitChanges);
        await store.commit(part, signal);
        for (const change of part) {
          if (change.op === 'put') written.set(change.key, change.value);
          else written.delete(change.key);
        }
      }
    },
  };
}

function pagesOf(statistics: ServiceStatistics): readonly string[] {
  const entries = [...statistics].sort(([a], [b]) => (a < b ? -1 : 1));
  const count = Math.ceil(entries.length / targetsPerPage);
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify(entries.slice(n * targetsPerPage, (n + 1) * targetsPerPage)),
  );
}

function parse(value: string): readonly (readonly [string, TargetStatistics])[] {
  try {
    return page.parse(JSON.parse(value));
  } catch {
    return [];
  }
}
