import type { Probe, ProbeCode } from '../model/probe.ts';

/** What became of the probes of one target by one observer, since its first one; har's table of the same. */
export interface TargetStatistics {
  readonly successes: number;
  readonly timeouts: number;
  /** Nobody listened, no route, no address, no acceptable certificate: it never came to a question. */
  readonly connectErrors: number;
  /** There was an answer, or a part of one, and it was not the expected one. */
  readonly responseErrors: number;
  /** Everything else, questions that could not be asked included. */
  readonly otherErrors: number;
  /** Wall-clock milliseconds of the observer. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lastSuccessAt?: number;
  readonly lastFailureAt?: number;
  readonly lastCode: ProbeCode;
  /** The sentence of the last probe. */
  readonly lastMessage: string;
  /** Milliseconds, of the last probe that measured them. */
  readonly connectMs?: number;
  readonly totalMs?: number;
}

type Count = 'successes' | 'timeouts' | 'connectErrors' | 'responseErrors' | 'otherErrors';

const connectCodes: readonly ProbeCode[] = ['refused', 'unreachable', 'dns', 'tls'];
const responseCodes: readonly ProbeCode[] = [
  'reset',
  'protocol',
  'status',
  'body',
  'redirect',
  'not-primary',
  'not-replica',
  'not-master',
];

/** The count that a probe belongs to. */
export function countOf({ result, code }: Pick<Probe, 'result' | 'code'>): Count {
  if (result === 'up') return 'successes';
  if (code === 'timeout') return 'timeouts';
  if (connectCodes.includes(code)) return 'connectErrors';
  return responseCodes.includes(code) ? 'responseErrors' : 'otherErrors';
}

/** The statistics with one more probe. `at` is the wall clock in milliseconds. */
export function withProbe(before: TargetStatistics | undefined, probe: Probe, at: number): TargetStatistics {
  const { code: lastCode, message: lastMessage, connectMs, totalMs } = probe;
  const was = before ?? {
    successes: 0,
    timeouts: 0,
    connectErrors: 0,
    responseErrors: 0,
    otherErrors: 0,
    firstAt: at,
  };
  const count = countOf(probe);
  return {
    ...was,
    [count]: was[count] + 1,
    lastAt: at,
    ...(probe.result === 'up' ? { lastSuccessAt: at } : { lastFailureAt: at }),
    lastCode,
    lastMessage,
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(totalMs === undefined ? {} : { totalMs }),
  };
}
