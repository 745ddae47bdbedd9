import { NODATA, NOTFOUND, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { showValue } from './show.ts';
import { type DiscoverySource, inOrder, type Sighting } from './source.ts';

const serverSchema = z.string().refine((text) => {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+)):\d{1,5}$/.exec(text) ?? [];
  return isIP(text) !== 0 || isIP(bracketed ?? '') === 6 || isIP(plain ?? '') === 4;
}, 'expected an address, address:port or [IPv6]:port');

export const dnsSchema = z.strictObject({
  kind: z.literal('dns'),
  names: z.array(z.string().regex(/^[A-Za-z0-9_.-]{1,253}$/, 'expected a DNS name')).min(1),
  /** Port of every target; an SRV record names its own. */
  port: z.int().min(1).max(65_535).optional(),
  type: z.enum(['A', 'AAAA', 'both', 'SRV']).default('both'),
  /** Name servers to ask; default is what the system is set to. */
  servers: z.array(serverSchema).min(1).optional(),
  /** Group of the targets; default is the DNS name. */
  group: z.string().min(1).optional(),
  /** Believes NXDOMAIN and NODATA: a name without addresses then has no targets, instead of being unknown. */
  emptyMeansNone: z.boolean().default(false),
  /** Longest wait for one answer; every server is asked twice. */
  timeoutSeconds: z.number().min(0.1).max(30).default(2),
});

type DnsConfig = z.output<typeof dnsSchema>;

interface Answer<T> {
  readonly records: readonly T[];
  readonly ttlSeconds: number;
}

const [shortestSeconds, longestSeconds] = [1, 3600];

/**
 * Targets are the addresses of names, asked anew when the smallest TTL of the last answer lapses (RFC 1035 section
 * 3.2.1). A server that fails or is silent cannot know, and neither is a configured name without addresses believed,
 * unless `emptyMeansNone`. Of SRV records those of the lowest priority count (RFC 2782); their TTL is not visible, the
 * one of their hosts' addresses is.
 */
export function createDnsSource(config: DnsConfig): DiscoverySource {
  let standsMs = 0;
  return {
    async discover(signal) {
      const resolver = new Resolver({ timeout: config.timeoutSeconds * 1000, tries: 2 });
      if (config.servers) resolver.setServers(config.servers);
      const cancel = () => resolver.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        const ask = createAsking(config, resolver);
        const answers = await Promise.all(config.names.map((name) => targetsOf(name, config, ask)));
        const ttlSeconds = Math.min(longestSeconds, ...answers.map((answer) => answer.ttlSeconds));
        standsMs = Math.max(shortestSeconds, ttlSeconds) * 1000;
        return inOrder(answers.flatMap(({ records }) => records));
      } finally {
        signal.removeEventListener('abort', cancel);
        resolver.cancel();
      }
    },
    standsMs: () => standsMs,
  };
}

/** The two questions that a read is made of. */
interface Asking {
  addresses(name: string): Promise<Answer<string>>;
  services(name: string): Promise<readonly { readonly name: string; readonly port: number }[]>;
}

async function targetsOf(name: string, config: DnsConfig, ask: Asking): Promise<Answer<Sighting>> {
  const group = config.group ?? name;
  if (config.type !== 'SRV') {
    const { records, ttlSeconds } = await ask.addresses(name);
    return { records: records.map((address) => sighting(name, address, config.port, group)), ttlSeconds };
  }
  const hosts = await ask.services(name);
  const answers = await Promise.all(hosts.map((host) => ask.addresses(host.name)));
  const records = hosts.flatMap((host, i) =>
    (answers[i]?.records ?? []).map((address) => sighting(`${name}/${host.name}`, address, host.port, group)),
  );
  return { records, ttlSeconds: Math.min(longestSeconds, ...answers.map((answer) => answer.ttlSeconds)) };
}

function sighting(owner: string, address: string, port: number | undefined, group: string): Sighting {
  const id = port === undefined ? `${owner}/${address}` : `${owner}/${address}:${port}`;
  return { id, name: id, address, port, group };
}

function createAsking(config: DnsConfig, resolver: Resolver): Asking {
  const families = config.type === 'A' ? ['A'] : config.type === 'AAAA' ? ['AAAA'] : ['A', 'AAAA'];

  const unknown = (type: string, name: string, cause: unknown) => {
    const isEmpty = cause === undefined;
    const what = `Cannot read targets from DNS: ${type} of ${showValue(name)}`;
    const message = isEmpty ? `${what} has no record, expected one (or emptyMeansNone: true)` : what;
    return new HsdoError('unavailable', message, isEmpty ? {} : { cause });
  };
  const orNone = async <T>(type: string, name: string, question: Promise<T[]>): Promise<T[]> => {
    try {
      return await question;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === NODATA || code === NOTFOUND) return [];
      throw unknown(type, name, error);
    }
  };
  return {
    async addresses(name) {
      const questions = families.map((family) =>
        orNone(
          family,
          name,
          family === 'A' ? resolver.resolve4(name, { ttl: true }) : resolver.resolve6(name, { ttl: true }),
        ),
      );
      const records = (await Promise.all(questions)).flat();
      if (records.length === 0 && !config.emptyMeansNone) throw unknown(families.join(' and '), name, undefined);
      return {
        records: records.map(({ address }) => address),
        ttlSeconds: Math.min(longestSeconds, ...records.map(({ ttl }) => ttl)),
      };
    },
    async services(name) {
      const records = await orNone('SRV', name, resolver.resolveSrv(name));
      if (records.length === 0 && !config.emptyMeansNone) throw unknown('SRV', name, undefined);
      const priority = Math.min(...records.map((record) => record.priority));
      // A host of "." says that the service is decidedly not available (RFC 2782): that is an answer, not an unknown.
      return records.filter((record) => record.priority === priority && !['', '.'].includes(record.name));
    },
  };
}
