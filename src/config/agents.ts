import { z } from 'zod';
import { secret } from '../model/secret.ts';

const seconds = (min: number, max: number) => z.number().min(min).max(max);

/** A word in a question's `tags=a,b`. */
const tag = z.string().regex(/^[^\s,]{1,64}$/, 'expected a word of at most 64 characters without a comma');

/** What an agent is called in its reports, in messages and in the store. */
export const agentId = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 _ . : -');

/** `tags: berlin backup` is short for `tags: [berlin, backup]`. */
const words = (value: unknown) =>
  typeof value === 'string' ? value.split(/\s+/).filter((word) => word !== '') : value;

const isOnceEach = (names: readonly string[]) => new Set(names).size === names.length;

/** What agents may do for one service. */
export const serviceAgentsSchema = z.strictObject({
  /** What they show to be let in; several services may share one. */
  token: z.string().min(8, 'expected at least 8 characters').transform(secret).optional(),
  /** Agents with one of them are given the service's targets; without any, every agent is. */
  tags: z.preprocess(words, z.array(tag).max(100).default([])),
  /** Default is the check's. */
  intervalSeconds: seconds(0.05, 86_400).optional(),
  /** Default is the check's. */
  timeoutSeconds: seconds(0.05, 3600).optional(),
  /** For so long a report stands; a vote without a newer one is missing then. */
  freshSeconds: seconds(0.5, 86_400).default(60),
  /** When an agent that fell silent leaves the electorate: by itself after `freshSeconds`, or when an operator says so. */
  leave: z.enum(['timeout', 'decommission']).default('timeout'),
  /** True: the servers leave the checks to agents, as PyFailoverDNS's master does, and have no vote. */
  only: z.boolean().default(false),
  /** The agents that have a vote; each of them is missing while it is silent. Default is whoever shows the token. */
  ids: z.array(agentId).min(1).max(1000).refine(isOnceEach, 'expected each name once').optional(),
});

export type ServiceAgents = z.output<typeof serviceAgentsSchema>;

/** What the listener for agents takes. Its address is part of the schema of the whole, as all addresses are. */
export const agentsApiOptions = {
  /** The longest body that is read. */
  maxBodyBytes: z.int().min(1024).max(67_108_864).default(1_048_576),
  /** Questions and reports of one address in a second; four times as many may come at once. */
  requestsPerSecond: z.number().min(0.1).max(1_000_000).default(50),
};

/**
 * The name under which agents know a service: its own domain, else the one below that of DNS, else its bare name. In lower
 * case, since names in DNS have none (RFC 4343).
 */
export function agentDomainOf(
  service: { readonly name: string; readonly domain?: string | undefined },
  dns: { readonly domain?: string | undefined } | undefined,
): string {
  const below = dns?.domain === undefined ? service.name : `${service.name}.${dns.domain}`;
  return (service.domain ?? below).replace(/\.$/, '').toLowerCase();
}
