import type { Command } from 'commander';
import type { ServiceView } from '../api/view.ts';
import { type ApiOptions, askApi } from './api-client.ts';
import { paintState } from './paint.ts';
import { instant, print, type ShowOptions } from './show.ts';
import { showTable } from './table.ts';

/** `hsdo services` and `hsdo overrides`: all services in a line each, and what operators want of their targets. */
export function addServices(program: Command): void {
  program
    .command('services')
    .description('show all services, a line for each')
    .option('--json', 'print the answer as JSON')
    .action((options: ShowOptions, command: Command) => showServices(command.optsWithGlobals<ApiOptions>(), options));
  program
    .command('overrides')
    .description('show what operators want of targets: ready, drain, maint')
    .option('--json', 'print the answer as JSON')
    .action((options: ShowOptions, command: Command) => showOverrides(command.optsWithGlobals<ApiOptions>(), options));
}

const ask = async (api: ApiOptions) =>
  ((await askApi(api, 'GET', '/api/v1/services')) as { services: readonly ServiceView[] }).services;

/** Prints all services. */
export async function showServices(api: ApiOptions, options: ShowOptions): Promise<void> {
  print(options, { services: await ask(api) }, ({ services }) => {
    const rows = services.map((service) => [
      service.name,
      paintState(service.state),
      service.activeName ?? service.active ?? '-',
      switchoverOf(service) ?? '-',
      service.revision,
      service.taken,
      service.verdicts?.up ?? '-',
      service.verdicts?.down ?? '-',
      service.free,
    ]);
    return showTable(['SERVICE', 'STATE', 'ACTIVE', 'SWITCHOVER', 'REVISION', 'TAKEN', 'UP', 'DOWN', 'FREE'], rows);
  });
}

/** The switchover that counts, or why the last one does not any more; `undefined` where nobody asked for one. */
export function switchoverOf({ switchover }: Pick<ServiceView, 'switchover'>): string | undefined {
  if (switchover === undefined) return undefined;
  const { targetName, by, ended, endedBy } = switchover;
  if (ended === undefined) return `${targetName}, by ${by}`;
  if (ended === 'purged') return `purged by ${endedBy ?? 'somebody'}`;
  const why = { down: 'went down', gone: 'is gone', held: 'was taken out' }[ended];
  return `ended: ${targetName} ${why}`;
}

async function showOverrides(api: ApiOptions, options: ShowOptions): Promise<void> {
  const overrides = (await ask(api)).flatMap(({ name: service, overrides: own }) =>
    own.map((override) => ({ service, ...override })),
  );
  print(options, { overrides }, () => {
    if (overrides.length === 0) return 'no overrides';
    const rows = overrides.map(({ service, targetId, state, by, at }) => [service, targetId, state, by, instant(at)]);
    return showTable(['SERVICE', 'TARGET', 'STATE', 'BY', 'SINCE (UTC)'], rows);
  });
}
