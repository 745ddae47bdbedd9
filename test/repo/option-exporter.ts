import { configSchema } from '../../src/config/schema.ts';
import { meaningIn, shown, table } from './option-tables.ts';

/** What each option of the block `exporter` means, in the words of docs/metrics.md; it is the same in an agent's file. */
export const exporterMeanings: Readonly<Record<string, string>> = {
  'exporter.listen': 'address of the Prometheus exporter, or off',
  'exporter.token':
    'demanded as `Authorization: Bearer` for all but /healthz and /readyz; a secret, and none that may operate the API',
  'exporter.tls':
    '`{ cert, key, ca }`, PEM files that are read again when they change; with `ca` metrics need a certificate',
};

/** Options of the block with their defaults, in the order of the schema. */
export function exporterOptionsOf(schema: typeof configSchema.shape.exporter) {
  const defaults: Readonly<Record<string, unknown>> = schema.parse(undefined);
  return Object.keys(schema.unwrap().shape).map((key) => [`exporter.${key}`, shown(defaults[key])] as const);
}

/** The block `exporter` of servers, clients and processes for DNS. */
export function exporterTable(): string {
  return table(
    ['option', 'default', 'meaning'],
    exporterOptionsOf(configSchema.shape.exporter).map(([name, usual]) => [
      `\`${name}\``,
      usual,
      meaningIn(exporterMeanings, name),
    ]),
  );
}
