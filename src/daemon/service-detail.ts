import type { ObserverView, ServiceDetail, ServiceView, TargetView } from '../api/view.ts';
import type { ServiceConfig } from '../config/schema.ts';
import { type Slot, servingWeight } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { RegisteredObserver } from '../publish/ballot-reader.ts';
import type { Opinion } from './observing/opinions.ts';

/** When agents were last heard of, and what their clocks show. */
type AgentSights = ReadonlyMap<string, Pick<ObserverView, 'lastSeenAt' | 'clockOffsetMs'>>;

/** Everything about one service for people: the list, who thinks what of each target, and what this process saw itself. */
export function serviceDetail(
  view: ServiceView,
  service: ServiceConfig,
  snapshot: Snapshot | undefined,
  known: {
    readonly observers: readonly RegisteredObserver[];
    readonly opinions: readonly Opinion[];
    /** Its names in DNS. */
    readonly domains?: readonly string[] | undefined;
    readonly sights?: AgentSights | undefined;
  },
): ServiceDetail {
  const watching = known.observers.filter(({ services }) => services.includes(service.name));
  const opinions = new Map(known.opinions.map((opinion) => [opinion.target.id, opinion]));
  const { vote, select, whenAllDown, check, weight } = service;
  return {
    ...view,
    ...(check === undefined ? {} : { check: check.kind }),
    policy: String(vote.policy),
    selection: select.kind,
    whenAllDown: typeof whenAllDown === 'string' ? whenAllDown : `fallback ${whenAllDown.fallback.join(', ')}`,
    fullWeight: weight.max,
    ...(known.domains === undefined ? {} : { domains: known.domains }),
    ...(snapshot?.primary ? { primary: snapshot.primary } : {}),
    observers: watching.map((one) => {
      const isNamed = service.agents?.ids?.includes(one.id) === true;
      return { ...observerView(one, known.sights), ...(isNamed ? { isNamed } : {}) };
    }),
    targets: (snapshot?.slots ?? []).flatMap((slot) => {
      if (slot.state === 'free') return [];
      return [targetView(slot, service.name, watching, opinions.get(slot.target.id))];
    }),
  };
}

/** An observer as people see it, with what the asked process knows of it beside its votes. */
export function observerView(observer: RegisteredObserver, sights?: AgentSights): ObserverView {
  const { id, kind, isFresh, isTransient, abstains } = observer;
  return { id, kind, isFresh, isTransient, ...(abstains === undefined ? {} : { abstains }), ...sights?.get(id) };
}

function targetView(
  slot: Exclude<Slot, { state: 'free' }>,
  service: string,
  observers: readonly RegisteredObserver[],
  opinion: Opinion | undefined,
): TargetView {
  const { id, name, address, port, group } = slot.target;
  const votes = observers.flatMap(({ id: observer, isFresh, abstains, ballot }) => {
    const vote = isFresh && abstains === undefined ? ballot.services.get(service)?.get(id) : undefined;
    return vote ? [{ observer, ...vote }] : [];
  });
  const taken = slot.state === 'taken' ? slot : undefined;
  return {
    id,
    name,
    address,
    ...(port === undefined ? {} : { port }),
    group,
    slot: slot.index,
    state: slot.state,
    servingWeight: servingWeight(slot),
    ...(taken?.override === undefined ? {} : { override: taken.override }),
    ...(taken?.health === undefined ? {} : { health: taken.health }),
    ...(taken?.out === undefined ? {} : { out: taken.out }),
    votes,
    ...(opinion?.statistics === undefined ? {} : { statistics: opinion.statistics }),
  };
}
