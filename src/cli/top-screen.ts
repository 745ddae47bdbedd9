import type { ServiceView } from '../api/view.ts';
import { showEndpoint } from '../model/endpoint.ts';
import type { ClusterEvent } from '../model/event.ts';
import { type Slot, servingWeight } from '../model/slot.ts';
import { type paints, stateColors } from './paint.ts';
import { instant } from './show.ts';
import { ago } from './table.ts';
import type { TopNews } from './top-news.ts';

export interface TopView {
  /** Wall-clock milliseconds of this machine. */
  readonly now: number;
  /** Absent before the first answer. */
  readonly news?: TopNews;
  /** Why the API cannot be asked, and since when; what is shown is old then. */
  readonly away?: { readonly sinceAt: number; readonly why: string } | undefined;
  /** Name of the service whose slots are shown. */
  readonly chosen?: string;
}

export interface TopSize {
  readonly columns: number;
  readonly rows: number;
}

type Colors = ReturnType<typeof paints>;
type Paint = (text: string) => string;
/** Bare text with its width, and how it is painted after it was cut. */
type Cell = readonly [text: string, width: number, paint?: Paint | undefined];

const mostServices = 6;
const mostEvents = 4;
/** Slots that are shown at least, where there are so many, before events get room. */
const fewSlots = 3;

/** Nothing of what others say may move the cursor. */
const clean = (text: string) => text.replaceAll(/\p{Cc}/gu, '?');

function cut(text: string, width: number): string {
  if (width <= 0) return '';
  const shown = clean(text);
  return shown.length <= width ? shown : `${shown.slice(0, width - 1)}…`;
}

/** One line of columns, at most so wide. */
function compose(cells: readonly Cell[], columns: number): string {
  let left = columns;
  return cells
    .map(([text, width, paint]) => {
      const room = Math.max(0, Math.min(width, left));
      left -= room;
      // Cut or not, a column does not touch the next one.
      const shown = cut(text, left > 0 ? room - 1 : room).padEnd(room);
      return paint && shown.trim() !== '' ? paint(shown) : shown;
    })
    .join('')
    .trimEnd();
}

const line = (text: string, columns: number, paint?: Paint) => compose([[text, columns, paint]], columns);

function header({ news, now }: TopView, columns: number, c: Colors): string {
  const clock = instant(now).slice(11);
  if (news === undefined)
    return compose(
      [
        [' hsdo', columns - 9, c.bold],
        [clock, 8, c.dim],
      ],
      columns,
    );
  const { node, lease, store, roles } = news.status;
  const leader = lease === undefined ? '' : `  leader ${lease.holder ?? 'nobody'}, epoch ${lease.epoch}`;
  const kept = `  store ${store.kind}${store.lastError === undefined ? '' : ' fails'}`;
  const text = ` ${node} (${roles.join(' and ')})${leader}${kept}`;
  const isFine = store.lastError === undefined && (lease === undefined || lease.holder !== undefined);
  return compose(
    [
      [text, columns - 9, isFine ? c.bold : c.yellow],
      [clock, 8, c.dim],
    ],
    columns,
  );
}

function notice({ news, away, now }: TopView, columns: number, c: Colors): string {
  if (away !== undefined) {
    const old = news === undefined ? '' : `no answer for ${ago(away.sinceAt, now)}, what follows is old: `;
    return line(` ${old}${away.why}`, columns, c.red);
  }
  if (news === undefined) return line(' asking ...', columns, c.dim);
  const [first, ...others] = news.status.problems;
  const unwell = news.status.services
    .filter(({ state }) => state !== 'ok')
    .map(({ name, state }) => `${name} (${state})`);
  if (first === undefined && unwell.length > 0) return line(` needs a look: ${unwell.join(', ')}`, columns, c.yellow);
  if (first === undefined) return line(' no problems', columns, c.green);
  const more = others.length === 0 ? '' : ` (and ${others.length} more: hsdo status)`;
  return line(` ${first.part}: ${first.message}${more}`, columns, c.yellow);
}

/** As many as there is room for, such that the chosen one is among them. */
export function windowOf<T>(all: readonly T[], chosen: number, room: number): readonly T[] {
  const start = Math.max(0, Math.min(chosen - Math.floor(room / 2), all.length - room));
  return all.slice(start, start + room);
}

function serviceLine(service: ServiceView, isChosen: boolean, columns: number, c: Colors): string {
  const { name, state, active, activeName = active, revision, taken, size, verdicts } = service;
  const down = verdicts?.down ?? 0;
  const cells: Cell[] = [
    [isChosen ? '>' : ' ', 2, c.cyan],
    [name, 23, isChosen ? c.bold : undefined],
    [state, 12, stateColors(c)[state]],
    [`${taken}/${size}`, 10],
    [verdicts === undefined ? '-' : String(verdicts.up), 6],
    [verdicts === undefined ? '-' : String(down), 6, down > 0 ? c.red : undefined],
    [String(revision), 9],
    [activeName ?? '-', Math.max(12, columns - 68)],
  ];
  return compose(cells, columns);
}

function slotLine(slot: Exclude<Slot, { readonly state: 'free' }>, now: number, columns: number, c: Colors): string {
  const { target, index, joinedAt } = slot;
  const [word, paint] = wordOf(slot, c);
  const cells: Cell[] = [
    [String(index).padStart(5), 7],
    [target.name, Math.max(18, columns - 62)],
    [showEndpoint(target.address, target.port), 24],
    [word, 18, paint],
    [`${servingWeight(slot)}/${slot.weight}`, 8],
    [ago(joinedAt, now), 7],
  ];
  return compose(cells, columns);
}

function wordOf(slot: Exclude<Slot, { readonly state: 'free' }>, c: Colors): readonly [string, Paint] {
  if (slot.state === 'draining') return ['draining', c.yellow];
  const { override, health, out } = slot;
  if (override !== undefined && override !== 'ready') return [`${override} by hand`, c.yellow];
  if (health?.verdict === 'down') return [`down ${health.code}`, c.red];
  if (out !== undefined) return [out, c.dim];
  if (health?.verdict === 'undecided') return ['undecided', c.yellow];
  return [health === undefined ? 'taken' : 'up', c.green];
}

function nodesLine({ nodes }: TopNews, columns: number, c: Colors): string {
  if (nodes === undefined) return line(' nodes  not told here', columns, c.dim);
  if (nodes.length === 0) return line(' nodes  none registered', columns, c.dim);
  const words = nodes.map(({ id, isLeader, isHealthy, abstains }) =>
    isHealthy ? `${id}${isLeader ? ' (leader)' : ''}${abstains === undefined ? '' : ' (abstains)'}` : `${id} SILENT`,
  );
  return line(` nodes  ${words.join('  ')}`, columns, nodes.every(({ isHealthy }) => isHealthy) ? undefined : c.yellow);
}

function eventLine({ at, kind, service, target, node, reason }: ClusterEvent, columns: number, c: Colors): string {
  const about = [service, target ?? node].filter((one) => one !== undefined).join(' ');
  const paint = /down|failover/.test(kind) ? c.red : /up|leader/.test(kind) ? c.green : c.yellow;
  const cells: Cell[] = [
    [` ${instant(at).slice(11)}`, 11, c.dim],
    [kind, 18, paint],
    [`${about}${reason === undefined ? '' : `: ${reason}`}`, columns - 29],
  ];
  return compose(cells, columns);
}

const serviceHead = `  ${'SERVICE'.padEnd(23)}${'STATE'.padEnd(12)}${'TAKEN'.padEnd(10)}${'UP'.padEnd(6)}${'DOWN'.padEnd(6)}${'REVISION'.padEnd(9)}ACTIVE`;
const slotHead = (columns: number) =>
  `${'SLOT'.padStart(5)}  ${'TARGET'.padEnd(Math.max(18, columns - 62))}${'ADDRESS'.padEnd(24)}${'STATE'.padEnd(18)}${'WEIGHT'.padEnd(8)}SINCE`;

function body(view: TopView & { readonly news: TopNews }, { columns, rows }: TopSize, c: Colors): readonly string[] {
  const { news, chosen, now } = view;
  const { services } = news.status;
  const position = Math.max(
    0,
    services.findIndex(({ name }) => name === chosen),
  );
  const shown = windowOf(
    services,
    position,
    Math.max(1, Math.min(mostServices, services.length, Math.floor(rows / 4))),
  );
  const more = services.length > shown.length ? ` (${position + 1} of ${services.length})` : '';
  const above = [
    line(`${serviceHead}${more}`, columns, c.dim),
    ...shown.map((service) => serviceLine(service, service.name === chosen, columns, c)),
    '',
    line(slotHead(columns), columns, c.dim),
  ];
  const isTold = news.slots !== undefined && news.slots.service === chosen;
  const list = isTold ? news.slots.slots : [];
  const busy = list.flatMap((slot) => (slot.state === 'free' ? [] : [slotLine(slot, now, columns, c)]));
  const free = list.length - busy.length;
  const nodes = nodesLine(news, columns, c);
  const room = rows - above.length - 3;
  const forEvents = Math.max(0, Math.min(mostEvents, news.events.length, room - Math.min(busy.length, fewSlots)));
  const forSlots = Math.max(0, room - forEvents);
  const isCut = busy.length > forSlots;
  const slots = isCut ? busy.slice(0, Math.max(0, forSlots)) : busy;
  const whole = isTold ? `       ${free} free` : '       not told yet';
  const rest = isCut ? `       and ${busy.length - slots.length} more: hsdo slots ${chosen}` : whole;
  const events = news.events.slice(0, forEvents).toReversed();
  const padding = Array.from({ length: forSlots - slots.length }, () => '');
  const tail = [line(rest, columns, c.dim), nodes, ...events.map((event) => eventLine(event, columns, c)), ''];
  return [...above, ...slots, ...padding, ...tail];
}

/** The lines of one picture: never more than `rows`, none wider than `columns`. */
export function topFrame(view: TopView, { columns, rows }: TopSize, c: Colors): readonly string[] {
  const { news } = view;
  const above = [header(view, columns, c), notice(view, columns, c), ''];
  const inner = Math.max(0, rows - above.length - 1);
  const middle = news === undefined ? [] : body({ ...view, news }, { columns, rows: inner }, c);
  const filled = Array.from({ length: inner }, (_, n) => middle[n] ?? '');
  const hints = line(' q quit   up, down: another service', columns, c.dim);
  return [...above, ...filled, hints].slice(-rows);
}
