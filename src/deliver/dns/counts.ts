import { latencyBuckets } from '../../telemetry/latency-buckets.ts';
import { codeName, recordTypes, responseCodes, typeName } from './answer/wire.ts';
import type { DnsCounts } from './protocol.ts';

/** Values of this moment, which others know. */
export type PresentValues = Pick<DnsCounts, 'tcpConnections' | 'cacheBytes' | 'names'>;

/** Counts what happens in the thread that answers, without a text or an object for any query. */
export interface Counts {
  /** A question of this type was answered with this code, both by their numbers. */
  answered(type: number, code: number, isTcp: boolean): void;
  /** One got no reply; what is not even a question has type 0. */
  unanswered(type: number, isTcp: boolean): void;
  /** How long one answer took; `queries` is for how many it stands where not all are measured. */
  took(seconds: number, queries: number): void;
  cache(outcome: 'hit' | 'miss' | 'stale'): void;
  limited(outcome: 'dropped' | 'truncated'): void;
  /** A question to another server has ended; `seconds` counts for those that it answered. */
  upstream(server: string, outcome: string, seconds: number): void;
  /** All since the last call. */
  take(present: PresentValues): DnsCounts;
}

/** Whoever asks chooses type and, by what he sends, code: what has no name in wire.ts is counted as one. */
const other = 'other';
const typeNames = [other, ...Object.values(recordTypes).map(typeName)];
const codeNames = [other, 'dropped', ...Object.values(responseCodes).map(codeName)];
const droppedCode = 1;
const transports = ['udp', 'tcp'];

/** Place in the names by number; numbers beyond the table have none. */
const placeOfType = placesOf(Object.values(recordTypes), 1);
const placeOfCode = placesOf(Object.values(responseCodes), 2);

function placesOf(numbers: readonly number[], first: number): Uint8Array {
  const places = new Uint8Array(Math.max(...numbers) + 1);
  for (const [at, number] of numbers.entries()) places[number] = first + at;
  return places;
}

export function createCounts(): Counts {
  const queries = new Uint32Array(typeNames.length * codeNames.length * transports.length);
  const time = createTimes();
  const upstreamTime = createTimes();
  const cache = new Map<string, number>();
  const limited = new Map<string, number>();
  const upstream = new Map<string, Map<string, number>>();

  const count = (type: number, code: number, isTcp: boolean) => {
    const at = ((placeOfType[type] ?? 0) * codeNames.length + code) * transports.length + (isTcp ? 1 : 0);
    queries[at] = (queries[at] as number) + 1;
  };

  return {
    answered: (type, code, isTcp) => count(type, placeOfCode[code] ?? 0, isTcp),
    unanswered: (type, isTcp) => count(type, droppedCode, isTcp),
    took: time.add,
    cache: (outcome) => addTo(cache, outcome),
    limited: (outcome) => addTo(limited, outcome),
    upstream: (server, outcome, seconds) => {
      const outcomes = upstream.get(server) ?? new Map<string, number>();
      if (outcomes.size === 0) upstream.set(server, outcomes);
      addTo(outcomes, outcome);
      if (outcome === 'answer') upstreamTime.add(seconds, 1);
    },
    take: (present) => {
      const [latency, latencySumSeconds] = time.take();
      const [upstreamLatency, upstreamSumSeconds] = upstreamTime.take();
      return {
        ...present,
        queries: takeQueries(queries),
        cache: takeAll(cache),
        limited: takeAll(limited),
        upstream: takeUpstream(upstream),
        latency,
        latencySumSeconds,
        upstreamLatency,
        upstreamSumSeconds,
      };
    },
  };
}

function takeQueries(queries: Uint32Array): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const [at, count] of queries.entries()) {
    if (count === 0) continue;
    const transport = transports[at % transports.length];
    const pair = Math.floor(at / transports.length);
    const [type, code] = [typeNames[Math.floor(pair / codeNames.length)], codeNames[pair % codeNames.length]];
    counted[`${type} ${code} ${transport}`] = count;
  }
  queries.fill(0);
  return counted;
}

function createTimes() {
  const buckets = new Float64Array(latencyBuckets.length + 1);
  let sumSeconds = 0;
  return {
    add(seconds: number, queries: number): void {
      let bucket = 0;
      while (bucket < latencyBuckets.length && seconds > (latencyBuckets[bucket] as number)) bucket += 1;
      buckets[bucket] = (buckets[bucket] as number) + queries;
      sumSeconds += seconds * queries;
    },
    take(): readonly [readonly number[], number] {
      const taken = [[...buckets], sumSeconds] as const;
      buckets.fill(0);
      sumSeconds = 0;
      return taken;
    },
  };
}

function addTo(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function takeAll(counts: Map<string, number>): Record<string, number> {
  const taken = Object.fromEntries(counts);
  counts.clear();
  return taken;
}

/** The count of each `server outcome`. */
function takeUpstream(counts: ReadonlyMap<string, Map<string, number>>): Record<string, number> {
  const taken: Record<string, number> = {};
  for (const [server, outcomes] of counts) {
    for (const [outcome, count] of outcomes) taken[`${server} ${outcome}`] = count;
    outcomes.clear();
  }
  return taken;
}
