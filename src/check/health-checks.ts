import { z } from 'zod';
import { createExecCheck, execSchema } from './exec.ts';
import type { CheckContext, HealthCheck } from './health-check.ts';
import { createHttpCheck, httpSchema } from './http.ts';
import { createIcmpCheck, icmpSchema } from './icmp.ts';
import { createModuleCheck, moduleSchema } from './module.ts';
import { createNoneCheck, noneSchema } from './none.ts';
import { createPostgresCheck, postgresSchema } from './postgres.ts';
import { createRedisSentinelCheck, redisSentinelSchema } from './redis-sentinel.ts';
import { createTcpCheck, tcpSchema } from './tcp.ts';

/** Every kind of check: its schema and what makes one. */
const kinds = [
  { schema: execSchema, create: createExecCheck },
  { schema: httpSchema, create: createHttpCheck },
  { schema: icmpSchema, create: createIcmpCheck },
  { schema: moduleSchema, create: createModuleCheck },
  { schema: noneSchema, create: createNoneCheck },
  { schema: postgresSchema, create: createPostgresCheck },
  { schema: redisSentinelSchema, create: createRedisSentinelCheck },
  { schema: tcpSchema, create: createTcpCheck },
] as const;

type SchemasOf<T extends readonly { readonly schema: unknown }[]> = { readonly [N in keyof T]: T[N]['schema'] };

const schemas = kinds.map(({ schema }) => schema) as unknown as SchemasOf<typeof kinds>;

/** The `check` of a service, told apart by `kind`. */
export const checkSchema = z.discriminatedUnion('kind', schemas);

export type CheckConfig = z.output<typeof checkSchema>;

/**
 * Makes the check that a parsed entry describes. It touches nothing outside before its first `check`.
 *
 * @throws HsdoError `config` where the configuration and the service's domain do not fit together.
 */
export function createCheck(config: CheckConfig, context: CheckContext): HealthCheck {
  const kind = kinds.find(({ schema }) => schema.shape.kind.value === config.kind);
  // The schema has matched the kind already; what the map cannot tell the compiler is that both belong together.
  const create = kind?.create as ((config: CheckConfig, context: CheckContext) => HealthCheck) | undefined;
  if (create === undefined) throw new TypeError(`no check is of kind ${config.kind}`);
  return create(config, context);
}
