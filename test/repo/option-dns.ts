import { isDeepStrictEqual } from 'node:util';
import { dnsSchema, type Endpoint, serviceDnsSchema } from '../../src/deliver/dns/config.ts';
import { meaningIn, shown, table } from './option-tables.ts';

/** What each option of the `dns:` block means, in the words of docs/dns.md. */
const blockMeanings: Readonly<Record<string, string>> = {
  listen: 'addresses, each `address:port` or `[IPv6]:port`, over UDP and TCP',
  domain: 'a service NAME is found under NAME.domain, and by SRV under _NAME._tcp.domain',
  ttlSeconds: 'how long an answer may be kept; 0: not at all',
  doubtTtlSeconds: 'while a verdict on one of the targets is in doubt, where that is shorter',
  negativeTtlSeconds: 'how long it may be kept that there is nothing',
  nameServers:
    'of the zones: `{ name, addresses }`; else ns.ZONE with the addresses of `listen`, which names none for 0.0.0.0 and ::',
  undeclared:
    'what names below `domain` are that nobody declared: `service: NAME`, `addresses: [...]` or `name: DOMAIN`',
  aliases: 'CNAME records, `alias: name`; the alias lies in one of the zones',
  otherTypes:
    'nodata: a service has the types that hsdo makes; forward: hsdo has A and AAAA, others know the rest, and what lies below the `domain` of a service',
  'forward.to':
    'servers for all other names: addresses, with a port where it is not 53; without this block others get REFUSED',
  'forward.allow': 'who may ask for other names',
  'forward.timeoutSeconds': 'longest wait for one server',
  'forward.tries': 'questions to servers for one of a client',
  'forward.maxPending': 'questions that may wait at one moment; more get SERVFAIL at once',
  'forward.cache.maxBytes': 'about; 0 switches the cache off',
  'forward.cache.maxTtlSeconds': 'longest time that an answer is kept',
  'forward.cache.maxNegativeTtlSeconds': 'and that there is nothing',
  'forward.cache.staleSeconds': 'how long an answer that has run out is given while no server answers; 0: never',
  'rateLimit.perSecond': 'equal answers to one network over UDP in a second; 0 switches it off',
  'rateLimit.slip':
    'one in so many of those beyond is sent empty and truncated, so that real clients come back over TCP; 0: none',
  'rateLimit.ipv4Prefix': 'bits of an IPv4 network',
  'rateLimit.ipv6Prefix': 'bits of an IPv6 network',
  'rateLimit.exempt': 'networks without a limit',
  'tcp.maxConnections': 'at one moment',
  'tcp.idleSeconds': 'a connection that says nothing for so long is closed',
  transport: 'how UDP is spoken: auto, batch (many packets with one system call, Linux) or dgram (one by one)',
};

const serviceMeanings: Readonly<Record<string, string>> = {
  publish: 'false: the service has no name in DNS',
  ttlSeconds: 'as above, for this service',
  doubtTtlSeconds: 'likewise',
  answers: 'addresses in one answer: `all` or a number; else as `select` has it',
  otherTypes: 'as above, for this service',
};

interface Option {
  readonly name: string;
  readonly default: string;
}

const near = dnsSchema.parse({}).rateLimit.exempt;
const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;

/** The options as they are without a word, blocks within as their parts. */
function optionsIn(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[],
  prefix = '',
): readonly Option[] {
  return names.flatMap((key) => {
    const value = values[key];
    const name = `${prefix}${key}`;
    return isTree(value)
      ? optionsIn(value, Object.keys(value), `${name}.`)
      : [{ name, default: defaultOf(name, value) }];
  });
}

function defaultOf(name: string, value: unknown): string {
  if (name === 'forward.to') return 'required';
  if (name === 'listen') return shown((value as readonly Endpoint[]).map(({ host, port }) => `${host}:${port}`));
  // Long, and the same twice.
  return name === 'rateLimit.exempt' && isDeepStrictEqual(value, near) ? 'as `forward.allow`' : shown(value);
}

/** All options of the `dns:` block, then those of a service's. */
export function dnsTable(): string {
  const block = dnsSchema.parse({ forward: { to: ['192.0.2.53'] } });
  const options = optionsIn(block, Object.keys(dnsSchema.shape));
  const ofServices = optionsIn(serviceDnsSchema.parse({}), Object.keys(serviceDnsSchema.shape));
  return table(
    ['option', 'default', 'meaning'],
    [
      ...options.map((one) => [`\`dns.${one.name}\``, one.default, meaningIn(blockMeanings, one.name)]),
      ...ofServices.map((one) => [`\`services[].dns.${one.name}\``, one.default, meaningIn(serviceMeanings, one.name)]),
    ],
  );
}
