import { isIP } from 'node:net';
import { z } from 'zod';

const seconds = (min: number, max: number) => z.number().min(min).max(max);
const milliseconds = z.number().min(0.1).max(3_600_000);

/** How the votes of all observers become one verdict. */
export const voteSchema = z.strictObject({
  /** How many of the electorate must call a target up: any (one), quorum (more than half), all, or a number. */
  policy: z
    .union([z.enum(['any', 'quorum', 'all']), z.int().min(1).max(1000)], 'expected any, quorum, all or a number')
    .default('quorum'),
  electorate: z.enum(['registered', 'live']).default('registered'),
  missing: z.enum(['undecided', 'down']).default('undecided'),
});

const failback = {
  /** Whether a target of higher priority becomes the active one again by itself. */
  failback: z.boolean().default(true),
  /** For how long it must have been up by then. */
  failbackSeconds: seconds(0, 604_800).default(60),
};

const byRtt = {
  /** Which time counts: until the connection stood, or until the answer was complete. */
  rttMode: z.enum(['connect', 'total']).default('total'),
  /** Slower targets are not chosen while a faster one is up. */
  maxRttMs: milliseconds.optional(),
};

/** Which of the targets that are up answer. */
export const selectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.literal('round-robin') }),
  z.strictObject({ kind: z.literal('weighted') }),
  z.strictObject({ kind: z.literal('priority') }),
  z.strictObject({ kind: z.literal('active-passive'), ...failback }),
  z.strictObject({ kind: z.literal('best-rtt'), ...byRtt }),
  z.strictObject({
    kind: z.literal('group-rtt-rr'),
    ...byRtt,
    /** Targets at most this much slower than the fastest take turns with it; without it all do. */
    groupThresholdMs: milliseconds.optional(),
  }),
]);

/** One of an interface of this machine (`fe80::1%eth0`) means nothing to whom it is told. */
const address = z.string().refine((text) => isIP(text) !== 0 && !text.includes('%'), 'expected an IP address');

/** What is served when no target is up. */
export const whenAllDownSchema = z.union(
  [
    z.enum(['last-good', 'all', 'none', 'first']),
    z.strictObject({ fallback: z.array(address).min(1), ttlSeconds: z.int().min(0).max(604_800).optional() }),
  ],
  'expected last-good, all, none, first or fallback: [addresses]',
);

/** `select: round-robin` is short for `select: {kind: round-robin}`. */
export const byName = (value: unknown) => (typeof value === 'string' ? { kind: value } : value);
