import type { ClusterEvent } from '../../model/event.ts';
import { isDecided, type ProbeCode } from '../../model/probe.ts';
import type { TakenSlot } from '../../model/slot.ts';
import type { Snapshot, SwitchoverEnd } from '../../model/snapshot.ts';
import { clauseOf, panicClause, someOf, spanOf } from './words.ts';

/** An event before it has its name and its instant. */
export type Happened = Omit<ClusterEvent, 'id' | 'at'>;

export interface Announced<S> {
  /** In the order in which they are told. */
  readonly events: readonly Happened[];
  /** What is known to people once these were told. */
  readonly state: S;
}

export interface KnownDown {
  readonly id: string;
  readonly code: ProbeCode;
  /** Wall-clock milliseconds. */
  readonly sinceAt: number;
}

/** What people were told about one service so far: the next announcement is the difference to this, whatever happened meanwhile. */
export interface ServiceState {
  readonly downs: readonly KnownDown[];
  /** Nobody of the service is up, or nobody serves. */
  readonly outage?: { readonly sinceAt: number; readonly reason: string };
  readonly active?: { readonly id: string; readonly name: string };
  readonly switchover?: { readonly token: string; readonly isOver: boolean };
}

/** Events of one kind in one announcement that name a target of their own; the others are counted. */
const mostNamed = 100;
/** All that is down must fit into one record of 256 KiB; what does not is told of when there is room. */
const mostStateBytes = 200_000;
const bytesOf = ({ id }: KnownDown) => 3 * id.length + 80;

const purgeReasons: Readonly<Record<SwitchoverEnd, string>> = {
  down: 'its target went down',
  gone: 'its target is gone',
  held: 'an operator took its target out',
  purged: 'an operator purged it',
};

const takenOf = ({ slots }: Snapshot) => slots.filter((slot): slot is TakenSlot => slot.state === 'taken');
/** A target in maintenance is not expected to be up. */
const isDown = ({ health, override }: TakenSlot) => health?.verdict === 'down' && override !== 'maint';

/** How long nothing is told of a new service that nobody has judged yet. */
const firstVerdictMs = 60_000;

/**
 * True for a service that has just begun: no check of it has come to a verdict. It is neither up nor down, and a first word that
 * it is down, taken back a second later, would wake somebody for nothing. When that lasts it is told as it is.
 *
 * @param now - Wall clock, milliseconds.
 */
export function isUnjudged(snapshot: Snapshot, now: number): boolean {
  const taken = takenOf(snapshot);
  const begunAt = Math.min(...taken.map(({ joinedAt }) => joinedAt));
  return (
    taken.length > 0 && taken.every(({ health }) => health?.verdict === 'undecided') && now - begunAt < firstVerdictMs
  );
}

/**
 * What must be told of a service so that people know what the snapshot says. Levels, not edges: a leader that died before it
 * told something is made up for by the next one. A service that nothing was told of yet is one event, not one a target. While
 * a planned maintenance of the whole service is on nothing is told; what is different after it, is then.
 *
 * @param before - What was told so far; `undefined`: nothing.
 */
export function announceService(before: ServiceState | undefined, snapshot: Snapshot): Announced<ServiceState> {
  const { service } = snapshot;
  if (before !== undefined && snapshot.maintenanceUntilAt !== undefined) return { events: [], state: before };
  const targets = targetNews(before?.downs ?? [], takenOf(snapshot));
  const outage = outageOf(before, snapshot);
  const points = pointNews(before, snapshot);
  const state: ServiceState = {
    downs: targets.downs,
    ...(outage ? { outage } : {}),
    ...(points.active ? { active: points.active } : {}),
    ...(snapshot.switchover
      ? { switchover: { token: snapshot.switchover.token, isOver: snapshot.switchover.ended !== undefined } }
      : {}),
  };
  if (before === undefined) return { events: [{ ...firstEvent(snapshot, outage), service }], state };
  const ofService = serviceNews(before, outage, snapshot);
  const events = [...targets.news, ...ofService, ...points.news];
  return { events: events.map((event) => ({ ...event, service })), state };
}

function firstEvent(snapshot: Snapshot, outage: ServiceState['outage']): Happened {
  if (outage) return { kind: 'service-down', reason: outage.reason };
  const taken = takenOf(snapshot);
  const downs = taken.filter(isDown).map(({ target }) => target.name);
  const hasCheck = taken.some(({ health }) => health !== undefined);
  const up = taken.filter(({ health }) => health?.verdict === 'up').length;
  const all = `${taken.length} target${taken.length === 1 ? '' : 's'}`;
  const counted = hasCheck ? `${up} of ${all} up` : `${all}, without a check`;
  return { kind: 'service-up', reason: downs.length === 0 ? counted : `${counted}; down: ${someOf(downs)}` };
}

function targetNews(before: readonly KnownDown[], taken: readonly TakenSlot[]) {
  const known = new Map(before.map((one) => [one.id, one]));
  const downs: KnownDown[] = [];
  const [fallen, risen]: [Happened[], Happened[]] = [[], []];
  const isThere = taken.filter(({ target, health }) => known.has(target.id) && health !== undefined);
  let room = mostStateBytes;
  const keep = (one: KnownDown) => {
    room -= bytesOf(one);
    downs.push(one);
  };
  for (const slot of isThere) {
    const was = known.get(slot.target.id) as KnownDown;
    if (slot.health?.verdict === 'up') risen.push(upEvent(slot, was));
    else keep(was);
  }
  for (const slot of taken) {
    const { target, health } = slot;
    if (known.has(target.id) || !isDown(slot) || health === undefined) continue;
    const one = { id: target.id, code: health.code, sinceAt: health.sinceAt };
    if (bytesOf(one) > room) continue;
    keep(one);
    const reason = clauseOf(health.code);
    fallen.push({ kind: 'target-down', target: target.name, address: target.address, reason });
  }
  return { downs, news: [...bounded(fallen), ...bounded(risen)] };
}

function upEvent({ target, health }: TakenSlot, was: KnownDown): Happened {
  const reason = isDecided(was.code)
    ? 'it has the wanted role now'
    : `it was down for ${spanOf((health?.sinceAt ?? was.sinceAt) - was.sinceAt)}`;
  return { kind: 'target-up', target: target.name, address: target.address, reason };
}

/** A thousand targets that fall at once are no thousand lines. */
function bounded(events: readonly Happened[]): readonly Happened[] {
  const [first] = events;
  if (first === undefined || events.length <= mostNamed) return events;
  const rest: Happened = { kind: first.kind, reason: `${events.length - mostNamed} more at the same time` };
  return [...events.slice(0, mostNamed), rest];
}

function outageOf(before: ServiceState | undefined, snapshot: Snapshot): ServiceState['outage'] {
  const { panic, publishedAt } = snapshot;
  if (panic) return before?.outage ?? { sinceAt: panic.sinceAt, reason: `no target is up; ${panicClause(panic)}` };
  const taken = takenOf(snapshot);
  const serves = ({ out, override }: TakenSlot) => out === undefined && override !== 'maint' && override !== 'drain';
  if (taken.some(serves)) return undefined;
  const reason = taken.length === 0 ? 'it has no targets' : 'none of its targets serves';
  return before?.outage ?? { sinceAt: publishedAt, reason };
}

function serviceNews(before: ServiceState, outage: ServiceState['outage'], snapshot: Snapshot): readonly Happened[] {
  if (outage && !before.outage) return [{ kind: 'service-down', reason: outage.reason }];
  if (outage || !before.outage) return [];
  const span = spanOf(snapshot.publishedAt - before.outage.sinceAt);
  return [{ kind: 'service-up', reason: `it was down for ${span}` }];
}

/** Whom an active-passive service points at, and by whose wish. */
function pointNews(before: ServiceState | undefined, snapshot: Snapshot) {
  const news: Happened[] = [];
  const { active: activeId, switchover } = snapshot;
  const held = snapshot.slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot]));
  const to = held.find(({ target }) => target.id === activeId)?.target;
  const was = before?.active;
  // While nobody is active the one before is remembered: what follows is a change from that.
  const active = to === undefined ? was : { id: to.id, name: to.name };
  const isNewWish = switchover !== undefined && switchover.token !== before?.switchover?.token;
  const hasMoved = was !== undefined && to !== undefined && was.id !== to.id;
  const from = hasMoved ? { from: was.name } : {};
  if (isNewWish && switchover.ended === undefined)
    news.push({ kind: 'switchover', target: switchover.targetName, by: switchover.by, ...from });
  const isOver = switchover?.ended !== undefined && (isNewWish || before?.switchover?.isOver === false);
  if (switchover?.ended !== undefined && isOver) {
    const { ended, endedBy, targetName: target } = switchover;
    const by = endedBy === undefined ? {} : { by: endedBy };
    const reason = `${purgeReasons[ended]}${endedBy === undefined || endedBy === '' ? '' : ` (${endedBy})`}`;
    news.push({ kind: 'switchover-purged', target, reason, ...by });
  }
  const isByWish = switchover !== undefined && switchover.ended === undefined && switchover.targetId === to?.id;
  if (hasMoved && !(isByWish && isNewWish)) {
    const change = { target: to.name, address: to.address, from: was.name };
    news.push(isByWish ? { kind: 'switchover', ...change, by: switchover.by } : { ...moveOf(was.id, held), ...change });
  }
  return { news, active };
}

/** Why the active one changed without a wish: it cannot serve, or a better one is back. */
function moveOf(id: string, held: readonly Exclude<Snapshot['slots'][number], { state: 'free' }>[]): Happened {
  const slot = held.find(({ target }) => target.id === id);
  const name = slot?.target.name ?? 'it';
  if (slot === undefined || slot.state === 'draining') return { kind: 'failover', reason: 'the former one is gone' };
  if (slot.health?.verdict === 'down')
    return { kind: 'failover', reason: `${name} is down, ${clauseOf(slot.health.code)}` };
  if (slot.override === 'maint' || slot.override === 'drain')
    return { kind: 'failover', reason: `an operator took ${name} out (${slot.override})` };
  return { kind: 'switching' };
}
