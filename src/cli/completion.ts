import { Argument, type Command } from 'commander';
import type { NodeView } from '../api/cluster-view.ts';
import type { ServiceView } from '../api/view.ts';
import type { Slot } from '../model/slot.ts';
import { type ApiOptions, askApi, serviceAddress } from './api-client.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';
import { type Surface, surfaceOf } from './surface.ts';

const shells: Readonly<Record<string, (surface: Surface) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const installing = `
For one shell:
  source <(hsdo completion bash)          hsdo completion fish | source
For good:
  hsdo completion bash > /etc/bash_completion.d/hsdo
  hsdo completion zsh > /usr/local/share/zsh/site-functions/_hsdo
  hsdo completion fish > ~/.config/fish/completions/hsdo.fish`;

/** Bash expands what it is offered: `$(...)` in a name would be run. Names of services, targets and nodes are like this. */
const harmless = /^[A-Za-z0-9_.:/@+-]{1,255}$/;

/** How long a person waits for names after a press of the tab key, milliseconds. */
const patienceMs = 300;

/** `hsdo completion`: the script that a shell needs; and, hidden, `hsdo names`, what such a script asks for. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print the completion script for a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .addHelpText('after', installing)
    .action((shell: string) => void process.stdout.write(shells[shell]?.(surfaceOf(program)) ?? ''));
  program
    .command('names', { hidden: true })
    .addArgument(new Argument('<kind>').choices(['services', 'targets', 'nodes']))
    .argument('[service]')
    .action(async (kind: string, service: string | undefined, _: unknown, command: Command) => {
      // Nobody who pressed the tab key wants to read why there are no names.
      const names = await namesOf(command.optsWithGlobals<ApiOptions>(), kind, service).catch(() => []);
      process.stdout.write(names.flatMap((name) => (harmless.test(name) ? [`${name}\n`] : [])).join(''));
    });
}

async function namesOf(api: ApiOptions, kind: string, service: string | undefined): Promise<readonly string[]> {
  const ask = (path: string) => askApi({ ...api, timeoutMs: patienceMs }, 'GET', path);
  if (kind === 'nodes')
    return ((await ask('/api/v1/nodes')) as { nodes: readonly NodeView[] }).nodes.map(({ id }) => id);
  if (kind === 'services') {
    const { services } = (await ask('/api/v1/services')) as { services: readonly ServiceView[] };
    return services.map(({ name }) => name);
  }
  const { slots } = (await ask(serviceAddress(service ?? '', 'slots'))) as { slots: readonly Slot[] };
  return slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot.target.name]));
}
