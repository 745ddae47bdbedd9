import { randomBytes } from 'node:crypto';
import type { DnsConfig } from './config.ts';
import { addressWord, createNetworkMatcher, prefixMask } from './network.ts';

type RateLimitConfig = DnsConfig['rateLimit'];

/** `send` it; `drop` it; or send it `truncate`d: no records but TC, so that a real client comes back over TCP. */
export type LimitOutcome = 'send' | 'drop' | 'truncate';

/** Addresses have four or sixteen bytes. */
export interface RateLimit {
  /** False for addresses that are never limited; the others' replies are to be judged. */
  covers(address: Uint8Array): boolean;
  /** Decides on one reply over UDP. `answerHash` says which: equal ones to one network share an account. */
  judge(address: Uint8Array, answerHash: number): LimitOutcome;
}

/** Accounts at one moment: at 8 + 8 + 4 + 1 bytes each, 1.3 MB. */
const setBits = 14;
const ways = 4;
const accounts = ways << setBits;

const groupWords = 4;
const mappedPrefixBits = 96;

/**
 * Response rate limiting as Paul Vixie and Vernon Schryver made it (BIND's ARM on `rate-limit`, nsd.conf(5) on `rrl-*`):
 * who forges the address of a victim gets few equal answers through to it, and who was limited for the doings of
 * another still gets his answer over TCP. Each network has `perSecond` credits for each kind of answer, which come back
 * evenly over a second, so no span of T seconds sees more than `perSecond * (T + 1)` whole answers.
 *
 * Other than in BIND an account has no debts. There a network that is flooded in the name of its clients gets nothing
 * but truncated answers until the flood is over; here it gets its rate all the time, which is as harmless for the victim.
 *
 * Accounts lie in a table of fixed size, four to a place; the one that was used least recently makes way. An account
 * under fire is used all the time and stays. Places are found with a secret seed, so nobody can aim at one.
 *
 * @param nowMs A clock that never jumps, in milliseconds.
 * @returns `undefined` when the configuration switches it off.
 */
export function createRateLimit(
  config: RateLimitConfig,
  nowMs: () => number,
  seed: Uint8Array = randomBytes(8),
): RateLimit | undefined {
  const { perSecond, slip } = config;
  if (perSecond === 0) return undefined;
  const isExempt = createNetworkMatcher(config.exempt);
  const shortMasks = groupMasks(config.ipv4Prefix + mappedPrefixBits);
  const longMasks = groupMasks(config.ipv6Prefix);
  const seeds = new Int32Array(Uint8Array.from(seed).buffer, 0, 2);
  const tags = new Int32Array(accounts);
  const credits = new Float64Array(accounts);
  // Nobody's account is old enough to be full.
  const lastAt = new Float64Array(accounts).fill(Number.NEGATIVE_INFINITY);
  const suppressed = new Uint8Array(accounts);

  /** The place of the account with this tag; the stalest account of the set is made it when there is none. */
  const find = (set: number, tag: number): number => {
    let stalest = set;
    for (let at = set; at < set + ways; at += 1) {
      if (tags[at] === tag) return at;
      if ((lastAt[at] as number) < (lastAt[stalest] as number)) stalest = at;
    }
    tags[stalest] = tag;
    lastAt[stalest] = Number.NEGATIVE_INFINITY;
    suppressed[stalest] = 0;
    return stalest;
  };

  return {
    covers: (address) => !isExempt(address),
    judge(address, answerHash) {
      const masks = address.length === 4 ? shortMasks : longMasks;
      let place = mix(seeds[0] as number, answerHash);
      let tag = mix(seeds[1] as number, answerHash);
      for (let word = 0; word < groupWords; word += 1) {
        const part = addressWord(address, word) & (masks[word] as number);
        place = mix(place, part);
        tag = mix(tag, part);
      }
      const at = find((place >>> (32 - setBits)) * ways, tag);
      const now = nowMs();
      const earned = ((now - (lastAt[at] as number)) * perSecond) / 1000;
      const balance = Math.min(perSecond, (credits[at] as number) + earned);
      lastAt[at] = now;
      credits[at] = balance >= 1 ? balance - 1 : balance;
      if (balance >= 1) return 'send';
      if (slip === 0) return 'drop';
      const count = (suppressed[at] as number) + 1;
      suppressed[at] = count === slip ? 0 : count;
      return count === slip ? 'truncate' : 'drop';
    },
  };
}

function groupMasks(bits: number): Int32Array {
  return Int32Array.from({ length: groupWords }, (_, word) => prefixMask(bits - word * 32));
}

/** One round of MurmurHash3 with its end mix: each bit of `value` turns about half of the bits of the result. */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return mixed ^ (mixed >>> 16);
}
