import type { NodeView } from '../api/cluster-view.ts';
import type { StatusView } from '../api/view.ts';
import type { ClusterEvent } from '../model/event.ts';
import type { Slot } from '../model/slot.ts';
import { listAddress, serviceAddress } from './api-client.ts';

/** What was heard of the API last. */
export interface TopNews {
  readonly status: StatusView;
  /** Absent while nobody told them: a client knows of none. */
  readonly nodes?: readonly NodeView[];
  /** The newest first. */
  readonly events: readonly ClusterEvent[];
  /** Of the chosen service; absent while they were not told yet. */
  readonly slots?: { readonly service: string; readonly slots: readonly Slot[] };
}

const mostEvents = 10;

/**
 * What the API says now. What it cannot tell, as while the store is away, stays as it was before: no answer is not "none".
 * Rejects when there is no status.
 *
 * @param ask - Asks the API for a path.
 */
export async function gatherNews(
  ask: (path: string) => Promise<unknown>,
  before: TopNews | undefined,
  wanted: string | undefined,
): Promise<TopNews> {
  const status = (await ask('/api/v1/status')) as StatusView;
  const chosen = status.services.find(({ name }) => name === wanted)?.name ?? status.services[0]?.name;
  const isServer = status.roles.includes('server');
  const told = async <T>(path: string, isAsked = true) =>
    isAsked ? ((await ask(path).catch(() => undefined)) as T | undefined) : undefined;
  const [nodes, events, slots] = await Promise.all([
    told<Required<Pick<TopNews, 'nodes'>>>('/api/v1/nodes', isServer),
    told<Pick<TopNews, 'events'>>(listAddress('/api/v1/events', { limit: mostEvents }), isServer),
    chosen === undefined ? undefined : told<NonNullable<TopNews['slots']>>(serviceAddress(chosen, 'slots')),
  ]);
  return { ...before, status, events: before?.events ?? [], ...nodes, ...events, ...(slots ? { slots } : {}) };
}
