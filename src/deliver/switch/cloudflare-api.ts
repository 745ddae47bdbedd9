import { z } from 'zod';
import { HsdoError, hasCode } from '../../model/error.ts';
import type { Secret } from '../../model/secret.ts';
import { askJson, type JsonAnswer, type JsonQuestion, printable } from './ask-json.ts';

/** The id of a zone or a record: it becomes part of a path. */
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const recordSchema = z.object({
  id,
  type: z.string(),
  name: z.string(),
  content: z.string().default(''),
  proxied: z.boolean().default(false),
  ttl: z.number().default(1),
});

/** One record of a zone. */
export type CloudflareRecord = z.output<typeof recordSchema>;

/** What a record is created with or changed to; `ttl` in seconds, 1 means automatic. */
export type RecordFields = Omit<CloudflareRecord, 'id'>;

const zoneSchema = z.object({ id, name: z.string(), status: z.string(), paused: z.boolean().default(false) });

const tokenSchema = z.object({ expires_on: z.string().nullish() });

const envelopeSchema = z.object({
  success: z.boolean(),
  errors: z
    .array(z.object({ code: z.number(), message: z.string().default('') }))
    .nullish()
    .transform((errors) => errors ?? []),
  result: z.unknown().optional(),
  result_info: z.object({ total_pages: z.number().optional() }).nullish(),
});

type Envelope = z.output<typeof envelopeSchema>;
export type Refusal = Pick<Envelope, 'errors'> & { readonly status: number };

export interface CloudflareApi {
  /** When the token ends, milliseconds since 1970; `undefined`: never, or Cloudflare does not tell, as with the tokens of accounts. */
  tokenEndsAt(signal: AbortSignal): Promise<number | undefined>;
  /** The id of an active zone. */
  zoneId(name: string, signal: AbortSignal): Promise<string>;
  /** All records of a name, of every type; `undefined` where nothing is known of the zone any more. */
  records(zone: string, name: string, signal: AbortSignal): Promise<readonly CloudflareRecord[] | undefined>;
  /** Changes one record, or creates or removes it; a refusal is given back, since its code tells what to do. */
  write(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    fields: RecordFields | undefined,
    signal: AbortSignal,
  ): Promise<Refusal | undefined>;
}

const pageSize = 100;
/** A name with more records than this is none that somebody keeps. */
const mostPages = 20;
/** Codes of a token that is unknown, malformed or without the right. */
const tokenCodes = [6003, 6111, 9103, 9106, 9109, 10_000, 10_001];
/** No such zone: 1001 and 7003, or a bare 404. */
const zoneCodes = [1001, 7003];

/** True when Cloudflare named one of the codes. */
export const says = ({ errors }: Refusal, ...codes: readonly number[]): boolean =>
  errors.some(({ code }) => codes.includes(code));

/** The refusal as a sentence, with Cloudflare's own codes and words. */
export function wordsOf({ errors, status }: Refusal): string {
  const told = errors.map(({ code, message }) => `${code} ${printable(message)}`.trim()).join(', ');
  return `Cloudflare answered ${status}${told === '' ? '' : ` (${told})`}`;
}

/**
 * The few calls of Cloudflare's API that switching a record needs (https://developers.cloudflare.com/api/, version 4).
 * Every call throws an HsdoError: `unavailable` for 429, 5xx and whatever is no answer of that API, `rejected` where the
 * token is not good for it or Cloudflare says no.
 */
export function createCloudflareApi(baseUrl: string, token: Secret): CloudflareApi {
  async function call(
    { method, body }: Pick<JsonQuestion, 'method' | 'body'>,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly envelope: Envelope } | { readonly refusal: Refusal }> {
    const headers = { authorization: `Bearer ${token.reveal()}` };
    const url = `${baseUrl}${path}`;
    const answer = await askJson({ who: 'Cloudflare', method, url, headers, body }, signal);
    const envelope = envelopeOf(answer);
    if (envelope.success) return { envelope };
    const refusal = { status: answer.status, errors: envelope.errors };
    if (answer.status === 401 || answer.status === 403 || says(refusal, ...tokenCodes)) {
      const why = 'the token is wrong or has expired, or lacks the permission "Zone.DNS: Edit" for this zone';
      throw new HsdoError('rejected', `${wordsOf(refusal)}: ${why}`);
    }
    return { refusal };
  }

  return {
    async tokenEndsAt(signal) {
      try {
        const reply = await call({ method: 'GET' }, '/user/tokens/verify', signal);
        const told = 'refusal' in reply ? undefined : tokenSchema.safeParse(reply.envelope.result).data?.expires_on;
        const at = Date.parse(told ?? '');
        return Number.isNaN(at) ? undefined : at;
      } catch (error) {
        // It may be good all the same: what it opens tells that.
        if (hasCode(error, 'rejected')) return undefined;
        throw error;
      }
    },

    async zoneId(name, signal) {
      const reply = await call({ method: 'GET' }, `/zones?name=${encodeURIComponent(name)}`, signal);
      if ('refusal' in reply) throw refused(`look up the zone "${name}"`, reply.refusal);
      const zones = believed(z.array(zoneSchema), reply.envelope.result);
      const zone = zones.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (zone === undefined) {
        throw new HsdoError(
          'rejected',
          `Cloudflare has no zone "${name}" that this token may see; expected the name of a zone`,
        );
      }
      if (zone.status === 'active' && !zone.paused) return zone.id;
      const state = zone.paused ? 'paused' : `"${printable(zone.status)}"`;
      throw new HsdoError('rejected', `The zone "${name}" is ${state} at Cloudflare; expected an active one`);
    },

    async records(zone, name, signal) {
      const found: CloudflareRecord[] = [];
      for (let page = 1, pages = 1; page <= pages; page += 1) {
        const query = `name=${encodeURIComponent(name)}&per_page=${pageSize}&page=${page}`;
        const reply = await call({ method: 'GET' }, `/zones/${zone}/dns_records?${query}`, signal);
        if ('refusal' in reply) {
          if (reply.refusal.status === 404 || says(reply.refusal, ...zoneCodes)) return undefined;
          throw refused(`read the records of "${name}"`, reply.refusal);
        }
        const { result, result_info } = reply.envelope;
        found.push(...believed(z.array(recordSchema), result));
        pages = Math.min(mostPages, result_info?.total_pages ?? 1);
      }
      return found.filter((one) => one.name.toLowerCase() === name.toLowerCase());
    },

    async write(method, path, fields, signal) {
      const reply = await call({ method, body: fields }, path, signal);
      return 'refusal' in reply ? reply.refusal : undefined;
    },
  };
}

/** `rejected`: what was understood and refused is refused again. */
export const refused = (action: string, refusal: Refusal): HsdoError =>
  new HsdoError('rejected', `Cannot ${action}: ${wordsOf(refusal)}`);

function envelopeOf({ status, body, beginning, retryAfterMs }: JsonAnswer): Envelope {
  const parsed = envelopeSchema.safeParse(body);
  const isOverloaded = status === 429 || status >= 500;
  if (parsed.success && !isOverloaded) return parsed.data;
  const told = parsed.success ? wordsOf({ ...parsed.data, status }) : `Cloudflare answered ${status}`;
  const page = parsed.success ? '' : ` with something else than its JSON: "${beginning}"`;
  throw new HsdoError('unavailable', `${told}${page}`, { retryAfterMs });
}

function believed<T>(schema: z.ZodType<T>, result: unknown): T {
  const parsed = schema.safeParse(result);
  if (parsed.success) return parsed.data;
  throw new HsdoError(
    'unavailable',
    `Cloudflare's answer has another form than expected: ${printable(parsed.error.message)}`,
  );
}
