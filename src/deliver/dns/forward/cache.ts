import { limitTtls } from './render.ts';
import type { Reply } from './reply.ts';

/** A kept reply and when it was learned. */
export interface Kept {
  readonly reply: Reply;
  /** Monotonic, milliseconds. */
  readonly learnedAt: number;
  readonly isFresh: boolean;
}

/** Replies of other servers, by the key of their question. */
export interface Cache {
  /** What is known about a question; an answer that has run out comes too while it may still be of use. */
  find(key: string, now: number): Kept | undefined;
  /** Keeps a reply as long as its TTL allows. Lowers the TTLs in it to the most that is allowed here. */
  keep(key: string, reply: Reply, now: number): void;
  /** That nobody could answer, with the code that was said instead, 0 for silence. */
  keepFailure(key: string, code: number, now: number): void;
  /** The code of a failure of a moment ago. */
  findFailure(key: string, now: number): number | undefined;
  /** About what everything in it takes. */
  bytes(): number;
}

export interface CacheLimits {
  readonly maxBytes: number;
  readonly maxTtlSeconds: number;
  readonly maxNegativeTtlSeconds: number;
  readonly staleSeconds: number;
}

interface Entry {
  readonly reply: Reply;
  readonly learnedAt: number;
  readonly endsAt: number;
  wasUsed: boolean;
}

/** What an entry takes beside its reply and its key: measured with Node 20, 100,000 entries of 60 bytes. */
export const entryBytes = 600;
/** The least that RFC 9520 section 3.2 asks for: a server that comes back is noticed at once. */
const failureMs = 1000;
const mostFailures = 2000;

/**
 * A cache of bounded size. When it is full, entries leave in the order in which they came, but for those that were used
 * since they were last looked at (the clock algorithm): nearly as good as least recently used, and a hit costs nothing.
 */
export function createCache(limits: CacheLimits): Cache {
  const entries = new Map<string, Entry>();
  const failures = new Map<string, { readonly code: number; readonly endsAt: number }>();
  const staleMs = limits.staleSeconds * 1000;
  let bytes = 0;

  function drop(key: string, entry: Entry): void {
    entries.delete(key);
    bytes -= sizeOf(key, entry.reply);
  }

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      if (bytes <= limits.maxBytes) return;
      entries.delete(key);
      if (entry.wasUsed) {
        entry.wasUsed = false;
        entries.set(key, entry);
      } else bytes -= sizeOf(key, entry.reply);
    }
  }

  return {
    find(key, now) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (now >= entry.endsAt + staleMs) {
        drop(key, entry);
        return undefined;
      }
      entry.wasUsed = true;
      return { reply: entry.reply, learnedAt: entry.learnedAt, isFresh: now < entry.endsAt };
    },
    keep(key, reply, now) {
      failures.delete(key);
      const most = reply.isNegative
        ? Math.min(reply.ttlSeconds, limits.maxNegativeTtlSeconds, limits.maxTtlSeconds)
        : limits.maxTtlSeconds;
      const ttlSeconds = Math.min(reply.ttlSeconds, most);
      const old = entries.get(key);
      if (old !== undefined) drop(key, old);
      if (ttlSeconds <= 0 || sizeOf(key, reply) > limits.maxBytes) return;
      limitTtls(reply, most);
      entries.set(key, { reply, learnedAt: now, endsAt: now + ttlSeconds * 1000, wasUsed: false });
      bytes += sizeOf(key, reply);
      makeRoom();
    },
    keepFailure(key, code, now) {
      failures.delete(key);
      failures.set(key, { code, endsAt: now + failureMs });
      for (const [oldest, { endsAt }] of failures) {
        if (endsAt > now && failures.size <= mostFailures) return;
        failures.delete(oldest);
      }
    },
    findFailure(key, now) {
      const failure = failures.get(key);
      return failure !== undefined && now < failure.endsAt ? failure.code : undefined;
    },
    bytes: () => bytes,
  };
}

function sizeOf(key: string, reply: Reply): number {
  return key.length + reply.bytes.length + entryBytes;
}
