import { type Command, InvalidArgumentError } from 'commander';
import type { ClusterEvent } from '../model/event.ts';
import type { AuditEntry } from '../publish/audit.ts';
import { type ApiOptions, askApi, listAddress } from './api-client.ts';
import { instant, print, type ShowOptions } from './show.ts';
import { showTable } from './table.ts';

interface HistoryOptions extends ShowOptions {
  readonly service?: string;
  readonly limit: number;
}

const mostShown = 1000;

/** `hsdo events` and `hsdo audit`: what happened, and who asked for it. */
export function addHistory(program: Command): void {
  program
    .command('events')
    .description('show what happened, the newest last')
    .option('--service <name>', 'of one service alone')
    .option('--limit <n>', 'so many at most', limitOf, 20)
    .option('--json', 'print the answer as JSON')
    .action(async (options: HistoryOptions, command: Command) => {
      const { service, limit } = options;
      const path = listAddress('/api/v1/events', { service, limit });
      const answer = await askApi(command.optsWithGlobals<ApiOptions>(), 'GET', path);
      print(options, answer as { events: readonly ClusterEvent[] }, ({ events }) => eventsForPeople(events));
    });
  program
    .command('audit')
    .description('show who changed what by the API, the newest last')
    .option('--limit <n>', 'so many at most', limitOf, 20)
    .option('--json', 'print the answer as JSON')
    .action(async (options: HistoryOptions, command: Command) => {
      const path = listAddress('/api/v1/audit', { limit: options.limit });
      const answer = await askApi(command.optsWithGlobals<ApiOptions>(), 'GET', path);
      print(options, answer as { entries: readonly AuditEntry[] }, ({ entries }) => auditForPeople(entries));
    });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= mostShown) return limit;
  throw new InvalidArgumentError(`expected a whole number from 1 to ${mostShown}`);
}

/** A table that ends with what happened last, where people look. */
export function eventsForPeople(events: readonly ClusterEvent[]): string {
  if (events.length === 0) return 'no events';
  const rows = events
    .toReversed()
    .map(({ at, kind, service, target, node, from, by, reason }) => [
      instant(at),
      service ?? '-',
      kind,
      target ?? node ?? '-',
      [from && `from ${from}`, reason, by && `by ${by}`].filter((part) => part).join(', ') || '-',
    ]);
  return showTable(['TIME (UTC)', 'SERVICE', 'EVENT', 'ABOUT', 'MORE'], rows);
}

/** The same of the audit. */
export function auditForPeople(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'nobody changed anything';
  const rows = entries
    .toReversed()
    .map(({ at, by, from, node, action, service, target, detail }) => [
      instant(at),
      by,
      from,
      node,
      action,
      service ?? '-',
      [target, detail].filter((part) => part !== undefined).join(' ') || '-',
    ]);
  return showTable(['TIME (UTC)', 'BY', 'FROM', 'AT NODE', 'CHANGE', 'SERVICE', 'MORE'], rows);
}
