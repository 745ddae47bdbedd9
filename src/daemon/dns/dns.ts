import { createCheck } from '../../check/health-checks.ts';
import type { Config, ServiceConfig } from '../../config/schema.ts';
import { type DnsThread, startDns } from '../../deliver/dns/dns.ts';
import { compileChapter } from '../../deliver/dns/records/compile.ts';
import type { Chapter } from '../../deliver/dns/records/records.ts';
import { serviceChapter } from '../../deliver/dns/records/service-records.ts';
import { showInstant } from '../../deliver/dns/records/service-words.ts';
import { serialOf, zoneChapter } from '../../deliver/dns/records/zone-records.ts';
import { layOutNames, type NameLayout } from '../../deliver/dns/records/zones.ts';
import { inheritedSockets } from '../../deliver/dns/transport/inherited.ts';
import { openHomes } from '../../publish/homes.ts';
import { every } from '../../time/every.ts';
import { serveApi } from '../api.ts';
import { runTogether } from '../lifecycle.ts';
import { tellRefusals } from '../opening.ts';
import type { ProcessParts } from '../process.ts';
import { createStoreHealth, type StoreHealth } from '../store-health.ts';
import { createDnsFigures, type DnsFigures } from './dns-figures.ts';
import { type DnsLists, loadDnsLists } from './dns-lists.ts';
import { exportDnsAddresses, exportDnsCounts } from './dns-metrics.ts';
import { createDnsPublisher } from './dns-publisher.ts';
import { serviceRecordRules } from './dns-rules.ts';
import { createDnsTimes, type DnsTimes } from './dns-times.ts';
import type { DnsTold } from './dns-told.ts';
import { createDnsOnlyView, domainsOf } from './dns-view.ts';

/** The role that answers DNS. It meets server and client in the store only, also in one process with them. */
export interface DnsRole extends DnsTold {
  run(options: { readonly withApi: boolean }, signal: AbortSignal): Promise<void>;
}

type DnsOptions = NonNullable<Config['dns']>;

/** No service can be called so. */
const zonesKey = '(zones)';
const lookMs = 1000;

/**
 * Opens the port, with everything installed that is remembered on disk: neither the store nor a server need to be there.
 *
 * @throws HsdoError `config` for an address that cannot be had, naming it and what to do.
 */
export async function startDnsRole(parts: ProcessParts, dns: DnsOptions, signal: AbortSignal): Promise<DnsRole> {
  const { config, clock, log, metrics } = parts;
  const layout = layOutNames(dns, config.services);
  const named = config.services.filter(({ name }) => layout.namesOf(name).length > 0);
  const health = createStoreHealth('dns', clock, metrics);
  const figures = createDnsFigures(clock);
  const names = named.map(({ name }) => name);
  const lists = await loadDnsLists(parts, {
    services: names,
    health,
    open: (own) => openHomes(config, clock, own, tellRefusals(log, health)),
    onChange(service) {
      watch(service);
      publisher.changed(service);
    },
  });
  const times = createDnsTimes(parts, named, createCheck, (service) => publisher.changed(service));
  const watch = (service: string) => {
    const snapshot = lists.current(service);
    if (snapshot) times.watch(snapshot);
  };
  for (const name of names) watch(name);
  const chapters = createChapters({ dns, layout, named, lists, times });
  const compile = (key: string) => compileChapter(chapters.make(key));
  const thread = await startDns(
    {
      config: dns,
      clock,
      log,
      inherited: inheritedSockets(process.env),
      chapters: [zonesKey, ...names].map(compile),
      onCounts(counts) {
        figures.note(counts);
        exportDnsCounts(metrics, counts);
      },
    },
    signal,
  );
  const publisher = createDnsPublisher({ compile, publish: thread.publish, clock });
  const told = tellDns({ parts, thread, figures, health, lists });
  const look = async () => {
    if (chapters.isSerialNew()) publisher.changed(zonesKey);
    exportDnsAddresses(metrics, placesOf(thread));
  };
  const said = `answers for ${names.length} service${names.length === 1 ? '' : 's'}`;
  parts.readiness?.tell('dns', { problems: told.problems, says: () => said });
  return {
    ...told,
    run({ withApi }, inner) {
      const { listen } = config.api;
      const loops = [thread.run, lists.run, times.run, publisher.run];
      loops.push((own) => every({ name: 'serials of DNS', intervalMs: lookMs, clock }, look, own));
      if (withApi && listen !== undefined && listen !== 'off') {
        const view = createDnsOnlyView(parts, told);
        loops.push((own) => serveApi(parts, view, listen, own));
      }
      return runTogether(loops, inner);
    },
  };
}

/** What DNS says at the moment, chapter by chapter. */
function createChapters(known: {
  readonly dns: DnsOptions;
  readonly layout: NameLayout;
  readonly named: readonly ServiceConfig[];
  readonly lists: DnsLists;
  readonly times: DnsTimes;
}) {
  const { dns, layout, named, lists, times } = known;
  const services = new Map(named.map((service) => [service.name, serviceRecordRules(service, dns)]));
  let serial = 0;
  /** Serials never fall (RFC 1982), also where the store went back to an older list. */
  const newest = () => Math.max(serial, ...named.map(({ name }) => serialOf(lists.current(name)?.publishedAt ?? 0)));
  return {
    isSerialNew: () => newest() !== serial,
    /** `key`: `zonesKey`, or a service. */
    make(key: string): Chapter {
      const rules = services.get(key);
      if (rules === undefined) {
        serial = newest();
        return zoneChapter({ dns, layout, serial });
      }
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

/** Where questions are answered at the moment. */
const placesOf = (thread: DnsThread) => (thread.failure() === undefined ? thread.addresses() : []);

function tellDns(known: {
  readonly parts: ProcessParts;
  readonly thread: DnsThread;
  readonly figures: DnsFigures;
  readonly health: StoreHealth;
  readonly lists: DnsLists;
}): DnsTold {
  const { parts, thread, figures, health, lists } = known;
  const domains = domainsOf(parts.config);
  return {
    current: lists.current,
    problems() {
      const failure = thread.failure();
      const unlisted = [...domains.keys()].filter((service) => lists.current(service) === undefined);
      return [
        ...(failure === undefined ? [] : [{ part: 'DNS', message: failure }]),
        ...unlisted.map((service) => ({ part: `DNS of service "${service}"`, message: 'no list was ever published' })),
      ];
    },
    view() {
      return {
        addresses: placesOf(thread),
        ...(thread.failure() === undefined ? thread.state() : {}),
        names: figures.names(),
        queriesPerSecond: figures.queriesPerSecond(),
        store: health.view(parts.config.store.kind),
        services: [...domains].map(([name, own]) => {
          const silentSinceAt = lists.silentSinceAt(name);
          return {
            name,
            domains: own,
            revision: lists.current(name)?.revision ?? 0,
            ...(silentSinceAt === undefined ? {} : { silentSinceAt }),
          };
        }),
        upstreams: figures.upstreams(),
      };
    },
  };
}
