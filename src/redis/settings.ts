import { isIP } from 'node:net';
import { z } from 'zod';
import { type Secret, secret } from '../model/secret.ts';

const hostSchema = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}\.?)+$/.test(text),
    'expected an IPv4 or IPv6 address or a DNS name',
  );
const credential = z.string().min(1).max(1024);
const login = { username: credential.optional(), password: credential.transform(secret).optional() };

const sentinelSchema = z.strictObject({
  host: hostSchema,
  port: z.int().min(1).max(65_535).default(26_379),
  /** Of the sentinel itself (`requirepass` or an ACL user there), not of the Redis behind it. */
  ...login,
});

const tlsSchema = z.union([
  z.boolean(),
  z.strictObject({
    /** File of certificates in PEM form which are believed instead of the system's. */
    ca: z.string().min(1).optional(),
    /** The name that certificates must be for; default is the host that is asked. */
    serverName: hostSchema.refine((text) => isIP(text) === 0, 'expected a name, not an address').optional(),
  }),
]);

/** What the source and the check of kind `redis-sentinel` have in common. */
export const sentinelOptions = {
  /** The name that the sentinels know the master by (`sentinel monitor NAME ...`), in the letters that Redis allows. */
  masterName: z.string().regex(/^[A-Za-z0-9_.-]{1,200}$/, 'expected a name of A-Z a-z 0-9 _ . -'),
  /** Every sentinel there is: a majority is counted of this list, whoever answers. */
  sentinels: z
    .array(sentinelSchema)
    .min(1)
    .max(100)
    .refine(
      (list) => new Set(list.map(({ host, port }) => `${host.toLowerCase()} ${port}`)).size === list.length,
      'expected every sentinel once, since each has one voice',
    ),
  /** For the Redis itself, which is asked for its role. */
  ...login,
  /** TLS towards the sentinels and the Redis alike. */
  tls: tlsSchema.default(false),
};

const settingsSchema = z.strictObject(sentinelOptions);

/** One parsed set of {@link sentinelOptions}. */
export type SentinelSettings = z.output<typeof settingsSchema>;

/** Where a sentinel or a Redis is, and how to be let in. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly tls?: RedisTls | undefined;
}

export interface RedisTls {
  /** Certificates in PEM form; the system's when absent. */
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
}
