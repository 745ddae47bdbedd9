import type { Command } from 'commander';
import type { ApiOptions } from './api-client.ts';
import { decommission, showNodes } from './nodes.ts';
import { showServiceDetail } from './service.ts';
import { showServices } from './services.ts';
import type { ShowOptions } from './show.ts';
import { purge, showCandidates, switchOver } from './switchover.ts';

interface ServiceOptions extends ShowOptions {
  readonly service?: string;
}
type Named = ServiceOptions & { readonly service: string };

/** The commands of dhaf's CLI under their own names, for scripts and fingers that know them; help does not show them. */
export function addDhafNames(program: Command): void {
  const add = (name: string) => program.command(name, { hidden: true }).option('--json', 'print the answer as JSON');
  const apiOf = (command: Command) => command.optsWithGlobals<ApiOptions>();
  const named = (name: string) => add(name).requiredOption('--service <name>', 'the service');

  add('status-dhaf').action((options: ShowOptions, command: Command) => showNodes(apiOf(command), options));
  for (const name of ['status-service', 'status-services']) {
    add(name)
      .option('--service <name>', 'one service; all without it')
      .action(({ service, ...options }: ServiceOptions, command: Command) =>
        service === undefined
          ? showServices(apiOf(command), options)
          : showServiceDetail(apiOf(command), service, options),
      );
  }
  named('switchover-candidates').action(({ service, ...options }: Named, command: Command) =>
    showCandidates(apiOf(command), service, options),
  );
  named('switchover-to <target>').action((target: string, { service, ...options }: Named, command: Command) =>
    switchOver(apiOf(command), { service, target }, { ...options, wait: true }),
  );
  add('switchover-purge')
    .option('--service <name>', 'one service; all without it')
    .action(({ service, ...options }: ServiceOptions, command: Command) =>
      purge(apiOf(command), service, { ...options, wait: true }),
    );
  add('node-decommission <node>').action((node: string, _: unknown, command: Command) =>
    decommission(apiOf(command), node),
  );
}
