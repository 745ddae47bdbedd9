import type { Command } from 'commander';
import type { AskedSwitchover, CandidatesView } from '../api/cluster-view.ts';
import type { ServiceDetail } from '../api/view.ts';
import { showEndpoint } from '../model/endpoint.ts';
import { systemClock } from '../time/clock.ts';
import { pause } from '../time/every.ts';
import { type ApiOptions, askApi, serviceAddress } from './api-client.ts';
import { Exit, exitCodes } from './exit.ts';
import { print, type ShowOptions } from './show.ts';
import { ago, showTable } from './table.ts';

interface WaitOptions extends ShowOptions {
  readonly wait: boolean;
}

const waitMs = 10_000;
const lookEveryMs = 200;

/** `hsdo candidates`, `hsdo switchover` and `hsdo purge`: the active target by hand. */
export function addSwitchover(program: Command): void {
  program
    .command('candidates')
    .description('show the targets that one may switch a service over to')
    .argument('<service>')
    .option('--json', 'print the answer as JSON')
    .action((service: string, options: ShowOptions, command: Command) =>
      showCandidates(command.optsWithGlobals<ApiOptions>(), service, options),
    );
  program
    .command('switchover')
    .description('make one target the active one, until that is purged or the target goes down')
    .argument('<service>')
    .argument('<target>', 'id or name, as hsdo candidates shows it')
    .option('--no-wait', 'do not wait until the leader has done it')
    .option('--json', 'print the outcome as JSON')
    .action((service: string, target: string, options: WaitOptions, command: Command) =>
      switchOver(command.optsWithGlobals<ApiOptions>(), { service, target }, options),
    );
  program
    .command('purge')
    .description('end the switchover of a service, or of all')
    .argument('[service]')
    .option('--no-wait', 'do not wait until the leader has done it')
    .option('--json', 'print the outcome as JSON')
    .action((service: string | undefined, options: WaitOptions, command: Command) =>
      purge(command.optsWithGlobals<ApiOptions>(), service, options),
    );
}

/** Prints whom one may switch over to. */
export async function showCandidates(api: ApiOptions, service: string, options: ShowOptions): Promise<void> {
  const answer = (await askApi(api, 'GET', serviceAddress(service, 'candidates'))) as CandidatesView;
  print(options, answer, ({ active, activeName = active, candidates }) => {
    const now = systemClock.now();
    const rows = candidates.map((one) => [
      one.name,
      showEndpoint(one.address, one.port),
      one.priority,
      ago(one.sinceAt, now),
    ]);
    const table = rows.length === 0 ? 'no candidates' : showTable(['TARGET', 'ADDRESS', 'PRIORITY', 'SINCE'], rows);
    return activeName === undefined ? table : `active ${activeName}\n\n${table}`;
  });
}

/** Asks for a switchover and says what became of it. Ends with 1 when it is refused, ends at once, or nobody honours it. */
export async function switchOver(
  api: ApiOptions,
  { service, target }: { readonly service: string; readonly target: string },
  options: WaitOptions,
): Promise<void> {
  const answer = await askApi(api, 'POST', serviceAddress(service, 'switchover'), { target });
  const { switchover } = answer as { switchover: AskedSwitchover };
  const { token, targetId, targetName } = switchover;
  if (!options.wait) {
    print(
      options,
      { service, ...switchover, outcome: 'asked' },
      () => `asked: ${service} is to point at ${targetName}`,
    );
    return;
  }
  const seen = await lookUntil(api, service, (detail) => detail.switchover?.token === token);
  const ended = seen.switchover?.ended;
  if (ended !== undefined) {
    const why = { down: 'it is down', gone: 'it is gone', held: 'an operator took it out', purged: 'it was purged' };
    throw new Exit(exitCodes.failed, `${service} does not switch over to ${targetName}: ${why[ended]}`);
  }
  const isActive = seen.active === targetId;
  print(options, { service, ...switchover, outcome: isActive ? 'active' : 'accepted' }, () =>
    isActive
      ? `done: ${service} points at ${targetName}`
      : `accepted: ${service} is to point at ${targetName}, and points at ${seen.activeName ?? seen.active ?? 'nothing'} so far`,
  );
}

/** Ends the switchover of a service, or of all that have one, and waits until the leader did. */
export async function purge(api: ApiOptions, service: string | undefined, options: WaitOptions): Promise<void> {
  const path = service === undefined ? '/api/v1/switchover' : serviceAddress(service, 'switchover');
  const { services } = (await askApi(api, 'DELETE', path)) as { services: readonly string[] };
  const names = services.join(', ');
  if (!options.wait || services.length === 0) {
    print(options, { services, outcome: 'asked' }, () => (names === '' ? 'no service has one' : `asked: ${names}`));
    return;
  }
  await Promise.all(
    services.map((name) =>
      lookUntil(api, name, ({ switchover }) => switchover === undefined || switchover.ended !== undefined),
    ),
  );
  print(options, { services, outcome: 'purged' }, () => `done: ${names}: no switchover counts any more`);
}

/** Looks at a service until it is as wanted. What was asked for is taken already: a look that fails is made again. */
async function lookUntil(
  api: ApiOptions,
  service: string,
  isDone: (detail: ServiceDetail) => boolean,
): Promise<ServiceDetail> {
  const never = new AbortController().signal;
  const giveUpAt = systemClock.monotonic() + waitMs;
  for (;;) {
    const seen = await look(api, service);
    if ('detail' in seen && isDone(seen.detail)) return seen.detail;
    if (systemClock.monotonic() >= giveUpAt) {
      const words = `It is kept in the store, but no leader did it in ${waitMs / 1000} s: see hsdo status`;
      throw new Exit(exitCodes.failed, 'failure' in seen ? `${words} (${seen.failure})` : words);
    }
    await pause(systemClock, lookEveryMs, undefined, never);
  }
}

async function look(
  api: ApiOptions,
  service: string,
): Promise<{ readonly detail: ServiceDetail } | { readonly failure: string }> {
  try {
    return { detail: (await askApi(api, 'GET', serviceAddress(service))) as ServiceDetail };
  } catch (error) {
    if (error instanceof Exit) return { failure: error.message };
    throw error;
  }
}
