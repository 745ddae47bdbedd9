import { z } from 'zod';
import { checkSchema } from '../check/health-checks.ts';
import { dnsSchema, domainName, serviceDnsSchema } from '../deliver/dns/config.ts';
import { haproxySchema } from '../deliver/haproxy/config.ts';
import { notifierSchema } from '../deliver/notify/notifiers.ts';
import { secretUrl } from '../deliver/notify/options.ts';
import { switcherSchema } from '../deliver/switch/switchers.ts';
import { sourceSchema } from '../discover/sources.ts';
import { storeSchema } from '../store/stores.ts';
import { agentsApiOptions, serviceAgentsSchema } from './agents.ts';
import { apiOptions } from './api.ts';
import { exporterOptions } from './exporter.ts';
import { byName, selectSchema, voteSchema, whenAllDownSchema } from './judging.ts';
import { maintenanceSchema } from './maintenance.ts';
import { isTree } from './tree.ts';

const seconds = (min: number, max: number) => z.number().min(min).max(max);
const weight = z.int().max(256);

const rampSchema = z
  .strictObject({
    min: weight.min(0).default(1),
    max: weight.min(1).default(10),
    increase: weight.min(1).default(1),
    intervalSeconds: seconds(0.01, 31_536_000).default(30),
    first: z.enum(['max', 'min']).default('max'),
    /** Whether a target that was down begins its ramp anew when it is up again. */
    rampAfterDown: z.boolean().default(false),
  })
  .refine((ramp) => ramp.min <= ramp.max, { path: ['min'], message: 'expected min to be at most max' });

const guardSchema = z.strictObject({
  maxRemoveShare: z.number().min(0).max(1).default(0.5),
  confirmReads: z.int().min(0).max(1_000_000).default(30),
});

/** Names end up in keys, file names and metrics. */
const serviceName = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ . -');

const oneOrMany = z.preprocess(
  (value) => (value === undefined || Array.isArray(value) ? value : [value]),
  z.array(sourceSchema).default([]),
);

const serviceShape = z.strictObject({
  name: serviceName,
  /** One source, or a list whose targets are put together. */
  source: oneOrMany,
  size: z.int().min(1).max(6000).default(10),
  weight: rampSchema.prefault({}),
  guard: guardSchema.prefault({}),
  drainSeconds: seconds(0, 86_400).default(30),
  haproxy: haproxySchema.optional(),
  /** The name that the service is known by: what http checks say as Host, and a name of it in DNS. */
  domain: domainName.optional(),
  /** Its names in DNS, where the top level has a `dns:` block. */
  dns: serviceDnsSchema.prefault({}),
  /** How every server asks the targets; without it HAProxy's own checks are all there is. */
  check: z.preprocess(byName, checkSchema.optional()),
  /** Who else asks the targets, from elsewhere. */
  agents: serviceAgentsSchema.optional(),
  vote: voteSchema.prefault({}),
  select: z.preprocess(byName, selectSchema.prefault({ kind: 'all' })),
  /** What outside is pointed at the active target. */
  switch: switcherSchema.optional(),
  whenAllDown: whenAllDownSchema.default('last-good'),
  /** Planned work on targets, or on the service as a whole. */
  maintenance: z.array(maintenanceSchema).max(100).default([]),
});

/** What is switched points at one target, so that such a service has one active target unless it says otherwise. */
export const serviceSchema = z.preprocess(
  (value) =>
    isTree(value) && value['switch'] !== undefined && value['select'] === undefined
      ? { ...value, select: 'active-passive' }
      : value,
  serviceShape,
);

/** An address to listen on, or `off`. */
export const hostAndPort = z
  .string()
  .regex(/^(off|(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5})$/, 'expected host:port, [IPv6]:port or off')
  .refine(
    (text) => text === 'off' || Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535,
    'expected a port up to 65535',
  );

/** The whole configuration in its nested form; the flat parameters are turned into the same. */
export const configSchema = z.strictObject({
  services: z
    .array(serviceSchema, 'expected a list of services, or flat parameters such as SERVER_MODE (see conf/env.yaml)')
    .min(1, 'expected at least one service'),
  store: storeSchema,
  cluster: z.strictObject({
    /** What people know it by: it stands in every notice. */
    name: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -')
      .default('hsdo'),
    nodeId: z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 _ . : -'),
    leaseTtlSeconds: seconds(0.5, 3600).default(10),
    /** How often a server says that it is there. */
    heartbeatSeconds: seconds(0.1, 3600).default(5),
    /** A server that was silent for this long casts no votes any more. */
    nodeTtlSeconds: seconds(0.5, 86_400).default(30),
  }),
  checks: z
    .strictObject({
      /** Checks of this process that may run at one moment. */
      concurrency: z.int().min(1).max(10_000).default(256),
      /** A service's first list waits for the first results, at most this long. */
      firstWaitSeconds: seconds(0, 3600).default(10),
      /** Places outside, as host:port; while none of them can be reached this observer casts no votes: it is cut off itself. */
      wayOut: z.array(z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'expected host:port')).default([]),
    })
    .prefault({}),
  /** Who is told of what happens. */
  notify: z.array(notifierSchema).default([]),
  /** A place outside that the leader asks while all is in order, so that somebody notices when it does not. */
  heartbeatPing: z
    .strictObject({
      url: secretUrl,
      intervalSeconds: seconds(0.1, 86_400).default(60),
      timeoutSeconds: seconds(0.1, 600).default(10),
    })
    .optional(),
  /** Where hsdo answers DNS itself; without it, nowhere. */
  dns: dnsSchema.optional(),
  intervalSeconds: seconds(0.05, 3600).default(1),
  stateDirectory: z.string().min(1),
  exporter: z.strictObject({ listen: hostAndPort.default('0.0.0.0:6789'), ...exporterOptions }).prefault({}),
  api: z
    .strictObject({
      /** Default: 127.0.0.1:8128 in a server; off in a process that is a client only, so that both fit on one box. */
      listen: hostAndPort.optional(),
      ...apiOptions,
      /** Where agents ask for their tasks and report; without it, nowhere. */
      agents: z.strictObject({ listen: hostAndPort.default('off'), ...agentsApiOptions }).prefault({}),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['info', 'debug']).default('info'),
      format: z.enum(['auto', 'json', 'text']).default('auto'),
    })
    .prefault({}),
  aws: z.strictObject({ region: z.string().min(1).optional(), profile: z.string().min(1).optional() }).prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ServiceConfig = Config['services'][number];

/** Top-level keys of the nested form. */
export const nestedNames: readonly string[] = Object.keys(configSchema.shape);
