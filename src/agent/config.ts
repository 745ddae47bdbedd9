import { z } from 'zod';
import { exporterOptions } from '../config/exporter.ts';
import { configSchema, hostAndPort } from '../config/schema.ts';
import { secret } from '../model/secret.ts';
import { reportSchema } from './wire.ts';

const seconds = (min: number, max: number) => z.number().min(min).max(max);

/** Names end up in logs and metrics. */
const serverName = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ . : -');

const serverUrl = z
  .string()
  .max(2048)
  .refine((text) => /^https?:\/\/[!-~]+$/i.test(text) && URL.canParse(text), 'expected an http:// or https:// URL')
  .refine((text) => {
    if (!URL.canParse(text)) return true;
    const { username, password, search, hash } = new URL(text);
    return username === '' && password === '' && search === '' && hash === '';
  }, 'expected a URL without user, password, ? and #: what proves who asks is the token');

/** What may stand in a header's value (RFC 9110 section 5.5), without spaces at its ends. */
const token = z
  .string()
  .max(1024)
  .regex(/^[!-~]([ -~]*[!-~])?$/, 'expected printable ASCII letters')
  .transform(secret);

/** Joined with commas they become one parameter of the URL. */
const tag = z.string().regex(/^[^\s,]{1,64}$/, 'expected a tag of 1 to 64 letters without spaces and commas');

/** A list, or one text in which spaces or commas stand between them. */
const tags = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(/[\s,]+/).filter((part) => part !== '') : value),
  z.array(tag, 'expected a list of tags, or a text with spaces between them').max(100).default([]),
);

const serverSchema = z.strictObject({
  name: serverName,
  url: serverUrl,
  /** What it takes as X-API-Key; PyFailoverDNS's master has domains that need none. */
  token: token.optional(),
  /** Which of its tasks are asked for: those that have one of these tags. */
  tags,
});

/** The configuration of an agent: PyFailoverDNS's `agent_config.yaml`, and more that need not be there. */
export const agentSchema = z.strictObject({
  agent_id: reportSchema.shape.agent_id,
  servers: z
    .array(serverSchema, 'expected a list of servers, each with name, url, token and tags')
    .min(1, 'expected at least one server')
    .max(100)
    .superRefine((servers, context) => {
      const seen = new Set<string>();
      servers.forEach(({ name }, index) => {
        if (seen.has(name))
          context.addIssue({ code: 'custom', path: [index, 'name'], message: 'expected each name once' });
        seen.add(name);
      });
    }),
  checks: z
    .strictObject({
      /** Checks of this process that may run at one moment. */
      concurrency: z.int().min(1).max(10_000).default(256),
    })
    .prefault({}),
  /** How often each server is asked for its tasks, give or take a tenth. */
  tasksSeconds: seconds(0.1, 86_400).default(30),
  /** For how long reports are gathered before they are sent together. */
  batchSeconds: seconds(0, 3600).default(1),
  /** How many reports are kept for one server that does not take them; of each check the newest is kept in any case. */
  maxUnsent: z.int().min(1).max(1_000_000).default(10_000),
  /** Whether servers may have executables run here. */
  allowExec: z.boolean().default(false),
  log: configSchema.shape.log,
  exporter: z.strictObject({ listen: hostAndPort.default('off'), ...exporterOptions }).prefault({}),
});

export type AgentConfig = z.output<typeof agentSchema>;
export type AgentServer = AgentConfig['servers'][number];
