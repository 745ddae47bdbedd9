import { showEndpoint } from '../model/endpoint.ts';
import { withDeadline } from '../time/deadline.ts';
import { aborting } from './aborting.ts';
import { listenToRedis } from './client.ts';
import type { RedisPlace } from './settings.ts';

/**
 * Resolves at a sentinel's first word about this master, and when it goes away after it could be listened to.
 *
 * @param timeoutMs - Until the subscription must stand; after that it waits for as long as the signal lets it.
 * @throws HsdoError when there is no subscription; the signal's reason once that is aborted.
 */
export async function hear(
  place: RedisPlace,
  masterName: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  let isListening = false;
  let subscribed: () => void = () => {};
  const subscription = new Promise<void>((resolve) => {
    subscribed = () => {
      isListening = true;
      resolve();
    };
  });
  // "mymaster 10.0.0.1 6379 10.0.0.2 6379", for every master that this sentinel knows.
  const isOurs = (text: string) => text.startsWith(`${masterName} `);
  try {
    await aborting(signal, async (inner) => {
      const message = listenToRedis(place, '+switch-master', isOurs, subscribed, inner);
      const what = `Sentinel "${showEndpoint(place.host, place.port)}"`;
      await withDeadline(what, timeoutMs, inner, () => Promise.race([subscription, message]));
      await message;
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!isListening) throw error;
  }
}
