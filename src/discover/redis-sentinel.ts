import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { createSentinels, type Master } from '../redis/sentinels.ts';
import { sentinelOptions } from '../redis/settings.ts';
import { accept } from './accept.ts';
import type { DiscoverySource, Sighting, SourceContext } from './source.ts';

export const redisSentinelSchema = z.strictObject({
  kind: z.literal('redis-sentinel'),
  ...sentinelOptions,
  /** Group of the target; default is the master's name. */
  group: z.string().min(1).optional(),
  /** Longest time for one read: half of it for the sentinels, half for the master's own word. */
  timeoutSeconds: z.number().min(0.1).max(15).default(2),
});

/** How often to look, beside the sentinels' hints, while nobody is agreed on. */
const lookMs = 250;

/**
 * The one target is the master that a majority of the configured sentinels agrees on and that says so itself. Its id
 * stays, whatever Redis it is, so that the slot stays and only its address moves. While nobody is agreed on, as in the
 * middle of a failover, it throws, and the last one stands: a master that is away is never "none".
 *
 * A failover shall be seen within a second, and it begins with failing reads, which are repeated ever less often. So
 * `changed` looks by itself while reads fail.
 */
export function createRedisSentinelSource(
  config: z.output<typeof redisSentinelSchema>,
  { clock, baseFolder }: SourceContext,
): DiscoverySource {
  const sentinels = createSentinels(config, { timeoutMs: config.timeoutSeconds * 1000, clock, baseFolder });
  /** What the last read found, as text; undefined after one that failed. */
  let seen: string | undefined;

  /** Resolves when a look finds a master that the last read did not find. */
  async function look(signal: AbortSignal): Promise<void> {
    for (let isFirst = true; ; isFirst = false) {
      await clock.sleep(lookMs, signal);
      // Once always: what moved between the last read and the subscriptions gave no hint.
      if (!isFirst && seen !== undefined) continue;
      const found = await sentinels.find(signal).then(showMaster, () => undefined);
      signal.throwIfAborted();
      // That nobody is agreed on any more is no news: the last one stands.
      if (found !== undefined && found !== seen) return;
    }
  }

  async function listen(signal: AbortSignal): Promise<void> {
    try {
      await sentinels.moved(signal);
    } catch (error) {
      // While reads fail, too, looking is all there is, and it goes on.
      if (signal.aborted || seen !== undefined) throw error;
      await new Promise<never>(() => {});
    }
  }

  return {
    async discover(signal) {
      try {
        const master = await sentinels.find(signal);
        const sighting = toSighting(config, master);
        seen = showMaster(master);
        return [sighting];
      } catch (error) {
        seen = undefined;
        throw error;
      }
    },
    async changed(signal) {
      const own = new AbortController();
      const stop = () => own.abort(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      try {
        signal.throwIfAborted();
        await Promise.race([listen(own.signal), look(own.signal)]);
      } finally {
        signal.removeEventListener('abort', stop);
        own.abort(new Error('the source has its hint'));
      }
    },
  };
}

function showMaster({ address, port }: Master): string {
  return `${address} ${port}`;
}

/** An address that no target can have would be refused later and leave an empty list: as if there were no master. */
function toSighting(config: z.output<typeof redisSentinelSchema>, { address, port }: Master): Sighting {
  const { masterName, group = masterName } = config;
  const sighting = { id: `sentinel/${masterName}`, name: masterName, address, port, group };
  const [refusal] = accept([sighting]).refusals;
  if (refusal === undefined) return sighting;
  throw new HsdoError('unavailable', `Master "${masterName}" cannot be a target: ${refusal.reason}`);
}
