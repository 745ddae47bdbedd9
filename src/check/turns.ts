/**
 * Where in its interval a target has its turns: a number from 0 to below 1 that depends on both names alone, so that the
 * targets of all services are spread evenly and each keeps its place over restarts. FNV-1a (RFC 9923), 32 bits, then
 * the finish of MurmurHash3, without which names that differ in their last digit would lie side by side.
 */
export function shareOf(service: string, targetId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${service}\0${targetId}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Parts of an interval by which arithmetic on instants may be wrong. */
const slack = 1e-6;

/** How many turns, `share * intervalMs` after every multiple of the interval, lie at or before an instant. */
export function turnsUntil(share: number, intervalMs: number, instantMs: number): number {
  return Math.floor(instantMs / intervalMs - share + slack) + 1;
}

/** The first turn after an instant, in milliseconds on the same clock; it never drifts, since it adds up nothing. */
export function turnAfter(share: number, intervalMs: number, instantMs: number): number {
  return (turnsUntil(share, intervalMs, instantMs) + share) * intervalMs;
}
