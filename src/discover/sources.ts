import { z } from 'zod';
import { asgSchema, createAsgSource } from './asg.ts';
import { consulSchema, createConsulSource } from './consul.ts';
import { createDnsSource, dnsSchema } from './dns.ts';
import { createFileSource, fileSchema } from './file.ts';
import { createRedisSentinelSource, redisSentinelSchema } from './redis-sentinel.ts';
import type { DiscoverySource, SourceContext } from './source.ts';
import { createStaticSource, staticSchema } from './static.ts';

/** Every kind of source: its schema and what makes one. */
const kinds = [
  { schema: asgSchema, create: createAsgSource },
  { schema: consulSchema, create: createConsulSource },
  { schema: dnsSchema, create: createDnsSource },
  { schema: fileSchema, create: createFileSource },
  { schema: redisSentinelSchema, create: createRedisSentinelSource },
  { schema: staticSchema, create: createStaticSource },
] as const;

type SchemasOf<T extends readonly { readonly schema: unknown }[]> = { readonly [N in keyof T]: T[N]['schema'] };

const schemas = kinds.map(({ schema }) => schema) as unknown as SchemasOf<typeof kinds>;

/** One entry of a service's `source` list, told apart by `kind`. */
export const sourceSchema = z.discriminatedUnion('kind', schemas);

export type SourceConfig = z.output<typeof sourceSchema>;

/** Makes the source that a parsed entry describes. It touches nothing outside before its first `discover`. */
export function createSource(config: SourceConfig, context: SourceContext): DiscoverySource {
  const kind = kinds.find(({ schema }) => schema.shape.kind.value === config.kind);
  // The schema has matched the kind already; what the map cannot tell the compiler is that both belong together.
  const create = kind?.create as ((config: SourceConfig, context: SourceContext) => DiscoverySource) | undefined;
  if (create === undefined) throw new TypeError(`no source is of kind ${config.kind}`);
  return create(config, context);
}
