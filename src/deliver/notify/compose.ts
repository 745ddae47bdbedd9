import type { ClusterEvent, EventKind } from '../../model/event.ts';
import type { Notice } from '../../model/notice.ts';
import { sentenceOf, spanOf } from './words.ts';

/** Everything that one announcement told of one service, or of the cluster. */
export interface Batch {
  /** 1 and upwards, without a gap. */
  readonly seq: number;
  /** Wall-clock milliseconds of the leader that wrote it. */
  readonly at: number;
  readonly events: readonly ClusterEvent[];
}

/** Which events a notifier is told of; absent means all. */
export interface EventFilter {
  readonly kinds?: readonly EventKind[] | undefined;
}

/** What of a batch concerns a notifier. */
export function eventsFor({ kinds }: EventFilter, { events }: Batch): readonly ClusterEvent[] {
  return kinds === undefined ? events : events.filter(({ kind }) => kinds.includes(kind));
}

/** How many events one notice lists; what is beyond them is counted in its title. */
const mostListed = 200;

/** Begins the ids of events and notices; no service can be called by the second one. */
export const idRootOf = (service: string | undefined): string =>
  service === undefined ? 'cluster' : service === 'cluster' ? 'service:cluster' : service;

const bad: readonly EventKind[] = ['service-down', 'failover', 'target-down', 'node-down'];
const good: readonly EventKind[] = ['service-up', 'target-up', 'node-up'];
/** The most important first. */
const byWeight: readonly EventKind[] = [
  'service-down',
  'service-up',
  'failover',
  'switchover',
  'switching',
  'switchover-purged',
  'node-down',
  'new-leader',
  'target-down',
  'node-up',
  'target-up',
];

const ends: Readonly<Partial<Record<EventKind, EventKind>>> = {
  'service-down': 'service-up',
  'target-down': 'target-up',
  'node-down': 'node-up',
};

/** True when a later event of the same notice says that this is over. */
function isOver(event: ClusterEvent, later: readonly ClusterEvent[]): boolean {
  const end = ends[event.kind];
  return (
    end !== undefined && later.some((one) => one.kind === end && one.target === event.target && one.node === event.node)
  );
}

function stateOf(events: readonly ClusterEvent[]): Notice['state'] {
  if (events.some((event, n) => bad.includes(event.kind) && !isOver(event, events.slice(n + 1)))) return 'alert';
  return events.some(({ kind }) => good.includes(kind)) ? 'resolved' : 'info';
}

function titleOf(service: string | undefined, events: readonly ClusterEvent[], others: number, lost: number): string {
  const standing = events.filter((event, n) => !isOver(event, events.slice(n + 1)));
  const [first] = [...standing].sort((a, b) => byWeight.indexOf(a.kind) - byWeight.indexOf(b.kind));
  const said = first === undefined ? 'nothing is wrong any more' : sentenceOf(first);
  const more = others === 0 ? '' : ` (and ${others} more)`;
  const gap = lost === 0 ? '' : ` (${lost} older announcements were lost)`;
  return `${service ?? 'cluster'}: ${said}${more}${gap}`;
}

/**
 * One notice of several batches of one service (or of the cluster), which are told together.
 *
 * @param batches - In order, at least one, with at least one event that concerns the notifier.
 * @param lost - Batches before them that nobody can be told of any more.
 */
export function composeNotice(parts: {
  readonly cluster: string;
  readonly service: string | undefined;
  readonly batches: readonly Batch[];
  readonly filter: EventFilter;
  readonly lost: number;
}): Notice {
  const { cluster, service, batches, filter, lost } = parts;
  const all = batches.flatMap((batch) => eventsFor(filter, batch));
  const events = all.slice(0, mostListed);
  const [from, to] = [batches[0]?.seq ?? 0, batches.at(-1)?.seq ?? 0];
  // The first word on a service, or on a cluster, resolves nothing.
  const isFirst = from === 1 && to === 1;
  const state = stateOf(all);
  return {
    id: `${idRootOf(service)}-${from === to ? from : `${from}-${to}`}`,
    cluster,
    ...(service === undefined ? {} : { service }),
    state: isFirst && state === 'resolved' ? 'info' : state,
    title: titleOf(service, all, all.length - 1, lost),
    events,
  };
}

/** An outage that people were told of and that goes on. */
export interface Outage {
  /** Wall-clock milliseconds. */
  readonly sinceAt: number;
  readonly reason: string;
}

/** Says once more that a service is down. `n`: 1 for the first time. */
export function composeReminder(parts: {
  readonly cluster: string;
  readonly service: string;
  readonly outage: Outage;
  readonly n: number;
  /** Wall-clock milliseconds. */
  readonly now: number;
}): Notice {
  const { cluster, service, outage, n, now } = parts;
  const id = `${idRootOf(service)}-down-${outage.sinceAt}`;
  return {
    id: `${id}-reminder-${n}`,
    cluster,
    service,
    state: 'reminder',
    title: `${service}: the service is still DOWN, for ${spanOf(now - outage.sinceAt)}: ${outage.reason}`,
    events: [{ id, kind: 'service-down', at: outage.sinceAt, service, reason: outage.reason }],
  };
}

const stateWords: Readonly<Record<Notice['state'], string>> = {
  alert: 'ALERT',
  info: 'INFO',
  resolved: 'RESOLVED',
  reminder: 'REMINDER',
};

/** The subject of a notice for people, on one line: `[hsdo] ALERT web: the service is DOWN: ...`. */
export function headlineOf({ cluster, state, title }: Notice): string {
  return `[${cluster}] ${stateWords[state]} ${title}`.replaceAll(/\p{Cc}+/gu, ' ');
}

/** The lines of a notice for people, one an event, with its instant in UTC. */
export function linesOf({ events }: Notice): readonly string[] {
  return events.map((event) => {
    const at = new Date(event.at)
      .toISOString()
      .replace('T', ' ')
      .replace(/\.\d+Z$/, ' UTC');
    return `${at}  ${sentenceOf(event)}`.replaceAll(/\p{Cc}+/gu, ' ');
  });
}
