import type { View } from '../../api/view.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import type { Homes } from '../../publish/homes.ts';
import type { Lease } from '../../publish/lease.ts';
import type { ProcessParts } from '../process.ts';
import type { ServedService } from '../served-service.ts';
import { createAnnouncing } from './announcing.ts';
import { createHeartbeatPing } from './heartbeat-ping.ts';

type Loop = (signal: AbortSignal) => Promise<void>;

/** What a server tells the world outside: what happened, and that all is in order. */
export interface ServerAnnouncing {
  readonly loops: readonly Loop[];
  /** Resolves once nothing is on its way to people. */
  idle(): Promise<unknown>;
  /** The view with the notifiers that do not get through. They are no reason to call the server not ready. */
  shownIn(view: View): View;
}

/** Without a plain store events have no place; the heartbeat ping needs none. */
export function createServerAnnouncing(
  parts: ProcessParts,
  { store }: Homes,
  lease: Lease,
  served: readonly Pick<ServedService, 'name' | 'leading'>[],
  observers: () => readonly RegisteredObserver[] | undefined,
): ServerAnnouncing {
  const { heartbeatPing: ping } = parts.config;
  const services = served.map(({ name, leading }) => ({ name, last: () => leading.last()?.snapshot }));
  const announcing = store && createAnnouncing({ ...parts, store, lease, services, observers });
  const isInOrder = () =>
    served.every(({ leading }) => leading.last() !== undefined && leading.failure() === undefined);
  const loops: Loop[] = [];
  if (announcing) loops.push(announcing.run);
  if (ping) {
    const intervalMs = ping.intervalSeconds * 1000;
    const timeoutMs = ping.timeoutSeconds * 1000;
    loops.push(createHeartbeatPing({ ...parts, url: ping.url, intervalMs, timeoutMs, lease, isInOrder }));
  }
  return {
    loops,
    idle: async () => announcing?.idle(),
    shownIn: (view) => ({
      ...view,
      async status() {
        const status = await view.status();
        return { ...status, problems: [...status.problems, ...(announcing?.problems() ?? [])] };
      },
    }),
  };
}
