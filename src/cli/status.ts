import type { Command } from 'commander';
import type { ObserverView, ServiceView, StatusView } from '../api/view.ts';
import { someOf } from '../deliver/notify/words.ts';
import { agentTable } from './agent-table.ts';
import { type ApiOptions, askApi } from './api-client.ts';
import { dnsTrouble, showDns } from './dns.ts';
import { exitCodes } from './exit.ts';
import { paintState, paints } from './paint.ts';
import { print, type ShowOptions } from './show.ts';
import { switchTable } from './switch.ts';
import { ago, agoInWords, showTable } from './table.ts';

/** `hsdo status`: leader, store, sources, lists and what the clients say of their HAProxies. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show leader, store, services, sources and clients')
    .option('--json', 'print the answer as JSON')
    .option('--exit-code', 'exit with 3 when something is not in order')
    .action(async (options: ShowOptions & { readonly exitCode?: boolean }, command: Command) => {
      const status = (await askApi(command.optsWithGlobals<ApiOptions>(), 'GET', '/api/v1/status')) as StatusView;
      print(options, status, showStatus);
      if (options.exitCode && trouble(status).length > 0) process.exitCode = exitCodes.unhealthy;
    });
}

/** Everything that a person should look at, one line each. */
function trouble(status: StatusView): string[] {
  return [
    ...status.problems.map(({ part, message }) => `${part}: ${message}`),
    ...storeTrouble(status),
    ...status.observers.flatMap(observerTrouble),
    ...status.services.flatMap((service) => serviceTrouble(service, status.at)),
    ...dnsTrouble(status.dns, status.at),
  ];
}

/** A client works on without its store, so that this is no problem of its own. */
function storeTrouble({ store, problems }: StatusView): string[] {
  const isTold = problems.some(({ part }) => part === 'store');
  return [
    ...(store.lastError === undefined || isTold ? [] : [`store: ${store.lastError}`]),
    ...store.refusals.map(({ name, reason }) => `store: ${name} is left out: ${reason}`),
  ];
}

/** What one should know of an observer; nothing while it votes. */
export function observerTrouble({ id, isFresh, isTransient, isNamed, abstains }: ObserverView): readonly string[] {
  if (isFresh) return abstains === undefined ? [] : [`observer ${id} casts no votes: ${abstains}`];
  const way = isNamed === true ? 'take it out of agents.ids' : `hsdo decommission ${id}`;
  const advice = isTransient && isNamed !== true ? '' : `; if it will not come back: ${way}`;
  return [`observer ${id} is silent, its votes are missing${advice}`];
}

/** What is served while no target is up. */
export function panicTrouble({ panic }: ServiceView, at: number): readonly string[] {
  if (panic === undefined) return [];
  const addresses = panic.fallback ? ` ${panic.fallback.join(', ')}` : '';
  return [`PANIC: no target is up since ${ago(panic.sinceAt, at)}; served: ${panic.serves}${addresses}`];
}

function serviceTrouble(service: ServiceView, at: number): string[] {
  const { name, unplaced, hold, shrinkBlockedBy, sources, duplicates } = service;
  const lines = panicTrouble(service, at).map((line) => `${name}: ${line}`);
  if (hold)
    lines.push(
      `${name}: the guard holds ${hold.targets.length} targets (${someOf(hold.targets)}); to let them go: hsdo release ${name} ${hold.token}`,
    );
  if (service.inDoubt !== undefined)
    lines.push(
      `${name}: observers disagree, or too many are silent, on ${someOf(service.inDoubt)}: hsdo service ${name}`,
    );
  if (unplaced.length > 0) lines.push(`${name}: no slot is free for ${someOf(unplaced)}; raise the size of the list`);
  if (shrinkBlockedBy.length > 0)
    lines.push(`${name}: the list cannot shrink while slots ${shrinkBlockedBy.join(', ')} are occupied`);
  for (const { label, refusals } of sources) {
    for (const refusal of refusals)
      lines.push(`${name}: source ${label} reports ${refusal.name}, left out: ${refusal.reason}`);
  }
  for (const { name: target, reason } of duplicates) lines.push(`${name}: ${target} is left out: ${reason}`);
  return [...lines, ...clientTrouble(service)];
}

function clientTrouble({ name, clients }: ServiceView): string[] {
  const lines: string[] = [];
  for (const { client, sockets } of clients) {
    for (const { socket, isUp, error, drift, missing } of sockets) {
      if (!isUp) lines.push(`${name}: client ${client} cannot reach HAProxy at ${socket}: ${error ?? 'no answer'}`);
      if (drift > 0) lines.push(`${name}: HAProxy at ${socket} (client ${client}) differs in ${drift} slots`);
      for (const { backend, slots } of missing)
        lines.push(
          `${name}: backend ${backend} at ${socket} lacks slots ${slots.join(', ')}; enlarge its server-template`,
        );
    }
  }
  return lines;
}

/** Everything as lines for people; the last ones are what needs a look. */
export function showStatus(status: StatusView): string {
  const { lease, store, at } = status;
  const leader =
    lease === undefined
      ? []
      : [`leader  ${lease.holder ?? 'nobody'} (epoch ${lease.epoch}), this process: ${lease.state}`];
  const error = store.lastError === undefined ? '' : `, fails: ${store.lastError}`;
  const lines = [
    `node    ${status.node} (hsdo ${status.version}, ${status.roles.join(' and ')})`,
    ...leader,
    `store   ${store.kind}, last answer ${agoInWords(store.lastSuccessAt, at)}${error}`,
    ...showDns(status.dns, at),
    '',
    showTable(
      ['SERVICE', 'STATE', 'REVISION', 'TAKEN', 'UP', 'DOWN', 'DRAINING', 'FREE', 'UNPLACED', 'SOURCES (TARGETS, AGE)'],
      status.services.map((service) => [
        service.name,
        paintState(service.state),
        service.revision,
        service.taken,
        service.verdicts?.up ?? '-',
        service.verdicts?.down ?? '-',
        service.draining,
        service.free,
        service.unplaced.length,
        service.sources
          .map(({ label, targets, lastSuccessAt }) => `${label} (${targets}, ${ago(lastSuccessAt, at)})`)
          .join(' '),
      ]),
    ),
    ...switchTable(status.services, at),
    ...agentTable(status.observers, at),
    ...clientTable(status),
  ];
  const warnings = trouble(status);
  const { green, yellow } = paints(process.stdout);
  const end = warnings.length === 0 ? [green('all in order')] : warnings.map((line) => `${yellow('!')} ${line}`);
  return [...lines, '', ...end].join('\n');
}

function clientTable({ services, at }: StatusView): string[] {
  const rows = services.flatMap(({ name, clients }) =>
    clients.flatMap(({ client, revision, sockets, at: saidAt }) =>
      sockets.map(({ socket, isUp, drift, manual }) => [
        name,
        client,
        socket,
        isUp ? 'up' : 'away',
        revision,
        drift,
        manual.map(({ backend, slot, state }) => `${backend}/${slot} ${state}`).join(', ') || '-',
        ago(saidAt, at),
      ]),
    ),
  );
  return rows.length === 0
    ? []
    : ['', showTable(['SERVICE', 'CLIENT', 'HAPROXY', 'STATE', 'REVISION', 'DRIFT', 'HELD BY HAND', 'SAID'], rows)];
}
