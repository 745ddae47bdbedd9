import type { ServiceConfig } from '../config/schema.ts';
import type { Leading } from './leading.ts';
import type { ServiceSources } from './service-sources.ts';
import type { Switching } from './switching/switching.ts';

/** One service as a server knows it: its sources always, its rounds while it leads. */
export interface ServedService {
  readonly name: string;
  readonly service: ServiceConfig;
  readonly sources: ServiceSources;
  readonly leading: Leading;
  /** Absent where the service switches nothing outside. */
  readonly switching: Switching | undefined;
}
