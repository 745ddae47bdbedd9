import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const seconds = (min: number, max: number) => z.number().min(min).max(max);
const ttl = z.int().min(0).max(604_800);

/** One place of the network. */
export interface Endpoint {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
}

/** Reads `address:port` or `[IPv6]:port`, and an address alone where there is a usual port; `undefined` for anything else. */
export function parseEndpoint(text: string, usualPort?: number): Endpoint | undefined {
  if (usualPort !== undefined && isIP(text) !== 0) return { host: text, port: usualPort };
  const [, six, four, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (six !== undefined) return isIP(six) === 6 ? { host: six, port } : undefined;
  return four !== undefined && isIP(four) === 4 ? { host: four, port } : undefined;
}

const listen = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, 'expected address:port or [IPv6]:port')
  .transform((text) => parseEndpoint(text) as Endpoint);

const upstream = z
  .string()
  .refine((text) => (parseEndpoint(text, 53)?.port ?? 0) > 0, 'expected an address, address:port or [IPv6]:port')
  .transform((text) => parseEndpoint(text, 53) as Endpoint);

/** 4 or 6, or 0 for what is no address. One of a single machine's interface (`fe80::1%eth0`) means nothing to others. */
const familyOf = (text: string) => (text.includes('%') ? 0 : isIP(text));

/** True for `10.0.0.0/8`, `fc00::/7`, and a single address. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = familyOf(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const networks = z.array(z.string().refine(isNetwork, 'expected an address or a network such as 10.0.0.0/8'));

/** Loopback, private and link-local: RFC 1918, RFC 4193, RFC 3927, RFC 4291. */
const near = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** The networks as Node matches them. */
export function networkList(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', bits] = text.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** A DNS name as a person writes it: labels of up to 63 characters, 253 in all (RFC 1035 section 2.3.4). A dot at the end is dropped. */
export const domainName = z
  .string()
  .overwrite((text) => (text.endsWith('.') ? text.slice(0, -1) : text))
  .regex(
    /^(?=.{1,253}$)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$/,
    'expected a domain name, with labels of 1 to 63 letters, digits, - or _',
  );

const ipAddress = z.string().refine((text) => familyOf(text) !== 0, 'expected an IP address');

/** Every question that is not about a name of ours goes to one of these servers. */
const forwardSchema = z.strictObject({
  to: z.array(upstream).min(1),
  /** Who may ask; everybody else gets REFUSED. */
  allow: networks.default(near),
  /** Longest wait for one server; then the next one is asked. */
  timeoutSeconds: seconds(0.05, 30).default(1),
  /** Questions to servers for one question of a client, the first included. */
  tries: z.int().min(1).max(10).default(3),
  /** Questions that may wait for servers at one moment. */
  maxPending: z.int().min(1).max(100_000).default(5000),
  cache: z
    .strictObject({
      /** Bytes that answers may take, about; 0 switches the cache off. */
      maxBytes: z.int().min(0).max(4_294_967_296).default(16_777_216),
      maxTtlSeconds: ttl.default(86_400),
      maxNegativeTtlSeconds: ttl.default(300),
      /** For how long an answer that has run out may be given while no server answers (RFC 8767); 0: never. */
      staleSeconds: z.int().min(0).max(604_800).default(0),
    })
    .prefault({}),
});

/** The `dns:` block: where hsdo answers, and for which names. */
export const dnsSchema = z.strictObject({
  listen: z
    .array(listen)
    .min(1)
    .default([{ host: '127.0.0.1', port: 8053 }]),
  /** A service NAME is found under NAME.domain. */
  domain: domainName.optional(),
  ttlSeconds: ttl.default(5),
  /** The TTL while a verdict on one of the targets is in doubt, where the usual one is longer. */
  doubtTtlSeconds: ttl.default(1),
  negativeTtlSeconds: ttl.default(5),
  /** Name servers of the zones; default is ns.ZONE with the addresses of `listen`. */
  nameServers: z.array(z.strictObject({ name: domainName, addresses: z.array(ipAddress).default([]) })).default([]),
  /** What names under `domain` are that nobody declared: a service, addresses, or another name. */
  undeclared: z
    .union(
      [
        z.strictObject({ service: z.string().min(1) }),
        z.strictObject({ addresses: z.array(ipAddress).min(1) }),
        z.strictObject({ name: domainName }),
      ],
      'expected service: NAME, addresses: [...] or name: DOMAIN',
    )
    .optional(),
  /** Other names for services and for anything else: CNAME records, name to name. */
  aliases: z.record(domainName, domainName).default({}),
  /** Types that a service's name does not have: answered with "no such data", or forwarded. */
  otherTypes: z.enum(['nodata', 'forward']).default('nodata'),
  forward: forwardSchema.optional(),
  /** Equal answers to one network in a second; more are dropped, every `slip`th is sent truncated. */
  rateLimit: z
    .strictObject({
      /** 0 switches it off. */
      perSecond: z.int().min(0).max(1_000_000).default(200),
      slip: z.int().min(0).max(100).default(2),
      ipv4Prefix: z.int().min(1).max(32).default(24),
      ipv6Prefix: z.int().min(1).max(128).default(56),
      /** Networks that are never limited. */
      exempt: networks.default(near),
    })
    .prefault({}),
  tcp: z
    .strictObject({
      maxConnections: z.int().min(1).max(100_000).default(256),
      /** A connection that says nothing for this long is closed. */
      idleSeconds: seconds(0.1, 3600).default(10),
    })
    .prefault({}),
  /** How UDP is spoken: many packets with one system call where that can be had (Linux), or one by one. */
  transport: z.enum(['auto', 'batch', 'dgram']).default('auto'),
});

export type DnsConfig = z.output<typeof dnsSchema>;
export type ForwardConfig = z.output<typeof forwardSchema>;

/** The `dns:` block of a service. */
export const serviceDnsSchema = z.strictObject({
  /** False: the service has no name in DNS. */
  publish: z.boolean().default(true),
  ttlSeconds: ttl.optional(),
  doubtTtlSeconds: ttl.optional(),
  /** Addresses in one answer; default is one for selections that take turns or rank, and all otherwise. */
  answers: z.union([z.literal('all'), z.int().min(1).max(1000)], 'expected all or a number').optional(),
  otherTypes: z.enum(['nodata', 'forward']).optional(),
});

export type ServiceDnsConfig = z.output<typeof serviceDnsSchema>;
