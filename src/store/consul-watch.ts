import type { Clock } from '../time/clock.ts';
import type { KeysAnswer } from './consul-answers.ts';
import type { ConsulClient } from './consul-client.ts';

/** Least time between two blocking queries, for agents that do not block. */
const leastPollMs = 100;

/**
 * Waits for changes under a prefix by blocking queries (Consul API, Blocking Queries), which name keys only. Consul ends
 * each after `waitMs` and a little, so a connection that hears nothing any more is found out by its deadline. The next
 * call goes on where the last one stopped.
 */
export function createConsulWatch(client: ConsulClient, clock: Clock, waitMs: number) {
  const positions = new Map<string, KeysAnswer>();

  return async function changed(prefix: string, signal: AbortSignal): Promise<void> {
    let before = positions.get(prefix) ?? (await client.keys(prefix, undefined, signal));
    for (;;) {
      const startedAt = clock.monotonic();
      const blocking = before.index === '0' ? undefined : { index: before.index, waitMs };
      const after = await client.keys(prefix, blocking, signal);
      positions.set(prefix, after);
      // Where nothing is under the prefix the index is that of all keys. An index that fell means that Consul was restored.
      const isSame = after.index === before.index || (after.count === 0 && before.count === 0);
      if (!isSame) return;
      before = after;
      const restMs = startedAt + leastPollMs - clock.monotonic();
      if (restMs > 0) await clock.sleep(restMs, signal);
    }
  };
}
