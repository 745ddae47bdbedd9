import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { secret } from '../model/secret.ts';
import { type ConsulAnswer, type ConsulReads, createConsulReads } from './consul-reads.ts';
import { isRecord } from './entry.ts';
import { type DiscoverySource, inOrder, type Sighting, type SourceContext } from './source.ts';

export const consulSchema = z.strictObject({
  kind: z.literal('consul'),
  url: z.string().regex(/^https?:\/\/[^\s/@]+(\/\S*)?$/, 'expected http://host:port or https://host:port'),
  services: z.array(z.string().min(1)).min(1),
  token: z.string().min(1).transform(secret).optional(),
  datacenter: z.string().min(1).optional(),
  /** Instances must carry every one of these tags. */
  tags: z.array(z.string().min(1)).default([]),
  /** Consul's own filter expression (Consul API, Filtering). */
  filter: z.string().min(1).optional(),
  namespace: z.string().min(1).optional(),
  /** How long Consul may hold a blocking query; it adds up to a sixteenth (Consul API, Blocking Queries). */
  waitSeconds: z.number().min(1).max(600).default(30),
});

/** Least time between two blocking queries, for agents that do not block. */
const leastPollMs = 500;
/**
 * For how long the answer of a blocking query is as good as one read now. A hint is followed by its read at once, or when
 * the read that is going on has ended; what changes meanwhile ends the next blocking query as soon as it begins.
 */
const freshMs = 250;

/**
 * Targets are the passing instances of services in Consul's catalog. Blocking queries tell of changes. An answer that
 * an ACL may have emptied is not believed: see `mayRead` in consul-reads.ts. Id is `node/service id`, name the node's,
 * as in HSDO. A service registered without port has port 0 in Consul, which cannot be told from a port 0 that was
 * meant: both leave the port to HAProxy's backend.
 *
 * The blocking query that tells of a change brings the whole new list with it. The one `discover` that directly follows
 * takes it instead of asking for the same list again, which at 1000 targets is half of the time that a change takes.
 */
export function createConsulSource(config: z.output<typeof consulSchema>, { clock }: SourceContext): DiscoverySource {
  const reads = createConsulReads(config);
  const indexes = new Map<string, string>();
  const brought = new Map<string, { readonly answer: ConsulAnswer; readonly at: number }>();

  /** Keeps an answer only if it is newer than what the last `discover` saw: that may have read anew meanwhile. */
  function keep(service: string, answer: ConsulAnswer, index: string): void {
    if (answer.isProven && indexes.get(service) === index) brought.set(service, { answer, at: clock.monotonic() });
  }

  /** What a blocking query has brought just now. After a wait there may be more news, so that is read anew. */
  function justBrought(service: string): ConsulAnswer | undefined {
    const found = brought.get(service);
    return found && clock.monotonic() - found.at <= freshMs ? found.answer : undefined;
  }

  async function waitFor(service: string, signal: AbortSignal): Promise<void> {
    const index = indexes.get(service);
    if (index === undefined)
      throw new HsdoError('unavailable', `Cannot wait for service "${service}": no index is known`);
    for (;;) {
      const startedAt = clock.monotonic();
      const answer = await reads.instances(service, signal, index);
      // Also when it went backwards: Consul was restored or restarted, and everything may be different.
      if (answer.index !== index) return keep(service, answer, index);
      const restMs = startedAt + leastPollMs - clock.monotonic();
      if (restMs > 0) await clock.sleep(restMs, signal);
    }
  }

  return {
    async discover(signal) {
      try {
        const answers = await Promise.all(
          config.services.map((service) => readService(reads, service, justBrought(service), signal)),
        );
        answers.forEach(({ index }, i) => {
          if (index === undefined) indexes.delete(config.services[i] ?? '');
          else indexes.set(config.services[i] ?? '', index);
        });
        const sightings = answers.flatMap(({ instances }, i) =>
          instances.map((instance) => toSighting(instance, config.services[i] ?? '')),
        );
        return inOrder(sightings);
      } finally {
        for (const [service, { answer }] of brought) {
          if (!isNewer(answer.index, indexes.get(service))) brought.delete(service);
        }
      }
    },
    async changed(signal) {
      const own = new AbortController();
      const stop = () => own.abort(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
      try {
        signal.throwIfAborted();
        await Promise.race(config.services.map((service) => waitFor(service, own.signal)));
      } finally {
        signal.removeEventListener('abort', stop);
        own.abort(new Error('another service of this source changed'));
      }
    },
  };
}

/** What came in during a read is kept where Consul's index proves that it is newer: it rises with every change, and falls only over a restore. */
function isNewer(index: string | undefined, than: string | undefined): boolean {
  return index !== undefined && than !== undefined && BigInt(index) > BigInt(than);
}

/** An empty answer, brought or read, counts once it is proven that the token may see what it would have held. */
async function readService(
  reads: ConsulReads,
  service: string,
  brought: ConsulAnswer | undefined,
  signal: AbortSignal,
): Promise<ConsulAnswer> {
  const answer = brought ?? (await reads.instances(service, signal));
  if (answer.instances.length > 0) return answer;
  await reads.mayRead(service, signal);
  // What was read before the right was proven proves nothing: it may have been granted in between.
  return reads.instances(service, signal);
}

function toSighting(instance: unknown, group: string): Sighting {
  const node = isRecord(instance) ? instance['Node'] : undefined;
  const service = isRecord(instance) ? instance['Service'] : undefined;
  if (!isRecord(node) || !isRecord(service)) {
    const fault = 'the instance has no Node or no Service, expected both (Consul API, List Service Instances)';
    return { id: undefined, name: undefined, address: undefined, group, fault };
  }
  const meta = isRecord(service['Meta']) ? service['Meta'] : {};
  const { weight } = meta as { readonly weight?: unknown };
  const [nodeName, serviceId] = [node['Node'], service['ID']];
  return {
    id: typeof nodeName === 'string' && typeof serviceId === 'string' ? `${nodeName}/${serviceId}` : undefined,
    name: nodeName,
    address: service['Address'] || node['Address'],
    port: service['Port'] === 0 ? undefined : service['Port'],
    group,
    zone: node['Datacenter'],
    // Metadata is always text.
    weight: typeof weight === 'string' && /^\d{1,6}$/.test(weight) ? Number(weight) : weight,
  };
}
