import { isIPv6 } from 'node:net';
import type { Clock } from '../time/clock.ts';

/** How much one address may ask; a bucket that is refilled all the time. */
export interface RateLimit {
  /** Seconds until one more is allowed; 0 when this one is, and then it counts. */
  take(address: string): number;
}

interface Bucket {
  level: number;
  filledAt: number;
}

/** More buckets than this are not kept: of those the one that was asked for longest ago is a full one again. */
const maxBuckets = 10_000;

/** An address with its neighbours: whoever has one of IPv6 has the whole /64 (RFC 6177 section 2). */
export function neighbourhoodOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...after].slice(0, 4).join(':');
}

/** @param burst - So many may come at once after a pause. */
export function createRateLimit(options: {
  readonly perSecond: number;
  readonly burst: number;
  readonly clock: Clock;
}): RateLimit {
  const { perSecond, burst, clock } = options;
  const buckets = new Map<string, Bucket>();
  return {
    take(address) {
      const key = neighbourhoodOf(address);
      const now = clock.monotonic();
      const bucket = buckets.get(key) ?? { level: burst, filledAt: now };
      bucket.level = Math.min(burst, bucket.level + ((now - bucket.filledAt) / 1000) * perSecond);
      bucket.filledAt = now;
      // The order of the map is the order of use.
      buckets.delete(key);
      buckets.set(key, bucket);
      for (const oldest of buckets.keys()) {
        if (buckets.size <= maxBuckets) break;
        buckets.delete(oldest);
      }
      if (bucket.level < 1) return (1 - bucket.level) / perSecond;
      bucket.level -= 1;
      return 0;
    },
  };
}
