import type { Config } from '../config/schema.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import type { DnsTold } from './dns/dns-told.ts';
import type { Closers } from './lifecycle.ts';
import type { Readiness } from './readiness.ts';

/** What every role of a process is given. */
export interface ProcessParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly closers: Closers;
  /** What is told of the role that answers DNS, where this process plays it. */
  readonly dns?: DnsTold;
  /** Where roles tell whether they do their work; absent where nobody asks. */
  readonly readiness?: Pick<Readiness, 'roles' | 'tell' | 'problems'>;
}
