import type { Config } from '../config/schema.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import type { DnsTold } from './dns/dns-told.ts';
import type { Closers } from './lifecycle.ts';
import type { Readiness } from './readiness.ts';
import type { Reloading } from './reloading.ts';

/** What every role of a process is given. */
export interface ProcessParts {
  /** As it was at the start, or, for what plays by `reloading`, as it is. */
  readonly config: Config;
  readonly reloading: Pick<Reloading<Config>, 'each' | 'current' | 'problems'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly closers: Closers;
  /** What is told of the role that answers DNS, where this process plays it. */
  readonly dns?: DnsTold;
  /** Where roles tell whether they do their work; absent where nobody asks. */
  readonly readiness?: Pick<Readiness, 'roles' | 'tell' | 'problems'>;
}
