import type { Config } from '../../config/schema.ts';
import { type DnsThread, startDns } from '../../deliver/dns/dns.ts';
import { inheritedSockets } from '../../deliver/dns/transport/inherited.ts';
import { every } from '../../time/every.ts';
import { serveApi } from '../api.ts';
import { createClosers, runTogether } from '../lifecycle.ts';
import type { ProcessParts } from '../process.ts';
import { createStoreHealth, type StoreHealth } from '../store-health.ts';
import { createYielding, withWholeProcess } from '../whole-view.ts';
import { createDnsAnswering, type DnsAnswering, type DnsPast } from './dns-answering.ts';
import { createDnsFigures, type DnsFigures } from './dns-figures.ts';
import { exportDnsAddresses, exportDnsCounts } from './dns-metrics.ts';
import type { DnsTold } from './dns-told.ts';
import { createDnsOnlyView, domainsOf } from './dns-view.ts';

/** The role that answers DNS. It meets server and client in the store only, also in one process with them. */
export interface DnsRole extends DnsTold {
  run(options: { readonly withApi: boolean }, signal: AbortSignal): Promise<void>;
}

type DnsOptions = NonNullable<Config['dns']>;

const lookMs = 1000;

/**
 * Opens the port, with everything installed that is remembered on disk: neither the store nor a server need to be there.
 * The thread that answers lives on over a reload, so that no question is lost.
 *
 * @throws HsdoError `config` for an address that cannot be had, naming it and what to do.
 */
export async function startDnsRole(parts: ProcessParts, dns: DnsOptions, signal: AbortSignal): Promise<DnsRole> {
  const { config, clock, log, metrics, reloading } = parts;
  const health = createStoreHealth('dns', clock, metrics);
  const figures = createDnsFigures(clock);
  const past: DnsPast = { lists: new Map(), serial: 0 };
  const firstClosers = createClosers();
  const first = await createDnsAnswering({ ...parts, closers: firstClosers }, dns, { past, health });
  const thread = await startDns(
    {
      config: dns,
      clock,
      log,
      inherited: inheritedSockets(process.env),
      chapters: first.chapters(),
      onCounts(counts) {
        figures.note(counts);
        exportDnsCounts(metrics, counts);
      },
    },
    signal,
  );
  let answering = first;
  const told = tellDns({ answering: () => answering, thread, figures, health });
  const says = () => `answers for ${answering.services.length} service${answering.services.length === 1 ? '' : 's'}`;
  parts.readiness?.tell('dns', { problems: told.problems, says });
  const yielding = createYielding(createDnsOnlyView(parts, told));
  const look = async () => exportDnsAddresses(metrics, placesOf(thread));
  let isFirst = true;
  const answer = (inner: AbortSignal) =>
    reloading.each(async (now, closers, until) => {
      const before = answering.services;
      if (isFirst) closers.add('the checks of DNS', () => firstClosers.closeAll(log));
      // A configuration without the block is refused to a process with this role.
      else if (now.dns)
        answering = await createDnsAnswering({ ...parts, config: now, closers }, now.dns, { past, health });
      isFirst = false;
      yielding.giveWay(withWholeProcess(createDnsOnlyView({ ...parts, config: now }, told), parts));
      await answering.run(thread.publish, before, until);
    }, inner);
  return {
    ...told,
    run({ withApi }, inner) {
      const { listen } = config.api;
      const loops = [thread.run, answer];
      loops.push((own) => every({ name: 'places of DNS', intervalMs: lookMs, clock }, look, own));
      if (withApi && listen !== undefined && listen !== 'off')
        loops.push((own) => serveApi(parts, yielding, listen, own));
      return runTogether(loops, inner);
    },
  };
}

/** Where questions are answered at the moment. */
const placesOf = (thread: DnsThread) => (thread.failure() === undefined ? thread.addresses() : []);

function tellDns(known: {
  readonly answering: () => DnsAnswering;
  readonly thread: DnsThread;
  readonly figures: DnsFigures;
  readonly health: StoreHealth;
}): DnsTold {
  const { answering, thread, figures, health } = known;
  const domains = () => domainsOf(answering().config);
  return {
    current: (service) => answering().lists.current(service),
    problems() {
      const failure = thread.failure();
      const { lists } = answering();
      const unlisted = [...domains().keys()].filter((service) => lists.current(service) === undefined);
      return [
        ...(failure === undefined ? [] : [{ part: 'DNS', message: failure }]),
        ...unlisted.map((service) => ({ part: `DNS of service "${service}"`, message: 'no list was ever published' })),
      ];
    },
    view() {
      const { config, lists } = answering();
      return {
        addresses: placesOf(thread),
        ...(thread.failure() === undefined ? thread.state() : {}),
        names: figures.names(),
        queriesPerSecond: figures.queriesPerSecond(),
        store: health.view(config.store.kind),
        services: [...domains()].map(([name, own]) => {
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
