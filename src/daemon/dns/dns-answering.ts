import { createCheck } from '../../check/health-checks.ts';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import { compileChapter } from '../../deliver/dns/records/compile.ts';
import type { Chapter } from '../../deliver/dns/records/records.ts';
import { serviceChapter, serviceKey } from '../../deliver/dns/records/service-records.ts';
import { showInstant } from '../../deliver/dns/records/service-words.ts';
import { serialOf, zoneChapter } from '../../deliver/dns/records/zone-records.ts';
import { layOutNames } from '../../deliver/dns/records/zones.ts';
import { openHomes } from '../../publish/homes.ts';
import { every } from '../../time/every.ts';
import { runTogether } from '../lifecycle.ts';
import { tellRefusals } from '../opening.ts';
import type { ProcessParts } from '../process.ts';
import type { StoreHealth } from '../store-health.ts';
import { type DnsLists, type FollowedList, loadDnsLists } from './dns-lists.ts';
import { createDnsPublisher } from './dns-publisher.ts';
import { serviceRecordRules } from './dns-rules.ts';
import { createDnsTimes, type DnsTimes } from './dns-times.ts';

type DnsOptions = NonNullable<Config['dns']>;

/** What outlives a configuration. */
export interface DnsPast {
  /** The lists that were answered from last, by service: what the disk has may be older. */
  readonly lists: Map<string, FollowedList>;
  /** Serials never fall (RFC 1982), also where the store went back to an older list. */
  serial: number;
}

/** What names are answered with, by one configuration. */
export interface DnsAnswering {
  readonly config: Config;
  readonly lists: DnsLists;
  /** Services with a name. */
  readonly services: readonly string[];
  /** Everything at this moment, compiled. */
  chapters(): readonly Uint8Array[];
  /** Brings what changes to those who answer. `forget`: services that an earlier configuration had. */
  run(publish: (parts: readonly Uint8Array[]) => void, forget: readonly string[], signal: AbortSignal): Promise<void>;
}

/** No service can be called so. */
const zonesKey = '(zones)';
const lookMs = 1000;

/** Reads what is remembered on disk, so that it is there before the first question; touches nothing else before `run`. */
export async function createDnsAnswering(
  parts: ProcessParts,
  dns: DnsOptions,
  { past, health }: { readonly past: DnsPast; readonly health: StoreHealth },
): Promise<DnsAnswering> {
  const { config, clock, log } = parts;
  const layout = layOutNames(dns, config.services);
  const named = config.services.filter(({ name }) => layout.namesOf(name).length > 0);
  const names = named.map(({ name }) => name);
  let changed = (_key: string) => {};
  const lists = await loadDnsLists(parts, {
    services: names,
    past: past.lists,
    health,
    open: (signal) => openHomes(config, clock, signal, tellRefusals(log, health)),
    onChange(service) {
      watch(service);
      changed(service);
    },
  });
  const times = createDnsTimes(parts, named, createCheck, (service) => changed(service));
  const watch = (service: string) => {
    const snapshot = lists.current(service);
    if (snapshot) times.watch(snapshot);
  };
  for (const name of names) watch(name);
  const chapters = createChapters({ dns, layout, named, lists, times, past });
  const compile = (key: string) => compileChapter(chapters.make(key));
  return {
    config,
    lists,
    services: names,
    chapters: () => [zonesKey, ...names].map(compile),
    run(publish, forget, signal) {
      const publisher = createDnsPublisher({ compile, publish, clock });
      changed = publisher.changed;
      // What is new first: a name that goes from one service to another is never without one.
      for (const key of [...names, zonesKey, ...forget.filter((name) => !names.includes(name))]) changed(key);
      const look = async () => {
        if (chapters.isSerialNew()) changed(zonesKey);
      };
      const serials = (inner: AbortSignal) => every({ name: 'serials of DNS', intervalMs: lookMs, clock }, look, inner);
      return runTogether([lists.run, times.run, publisher.run, serials], signal);
    },
  };
}

/** What DNS says at the moment, chapter by chapter. */
function createChapters(known: {
  readonly dns: DnsOptions;
  readonly layout: ReturnType<typeof layOutNames>;
  readonly named: readonly ServiceConfig[];
  readonly lists: DnsLists;
  readonly times: DnsTimes;
  readonly past: DnsPast;
}) {
  const { dns, layout, named, lists, times, past } = known;
  const services = new Map(named.map((service) => [service.name, serviceRecordRules(service, dns)]));
  const newest = () =>
    Math.max(past.serial, ...named.map(({ name }) => serialOf(lists.current(name)?.publishedAt ?? 0)));
  return {
    isSerialNew: () => newest() !== past.serial,
    /** `key`: `zonesKey`, or a service; one that is none any more has no names. */
    make(key: string): Chapter {
      if (key === zonesKey) {
        past.serial = newest();
        return zoneChapter({ dns, layout, serial: past.serial });
      }
      const rules = services.get(key);
      if (rules === undefined) return { key: serviceKey(key), names: [] };
      const snapshot = lists.current(key);
      const rank = snapshot && times.rank(snapshot);
      const since = lists.silentSinceAt(key);
      return serviceChapter({
        service: key,
        names: layout.namesOf(key),
        snapshot,
        rules,
        ...(rank === undefined ? {} : { rank }),
        notes: since === undefined ? [] : [`the store is silent since ${showInstant(since)}`],
      });
    },
  };
}
