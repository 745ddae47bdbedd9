import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { HsdoError } from '../../model/error.ts';
import { secret } from '../../model/secret.ts';
import { domainName } from '../dns/config.ts';
import {
  type CloudflareRecord,
  createCloudflareApi,
  type RecordFields,
  refused,
  says,
  wordsOf,
} from './cloudflare-api.ts';
import { baseUrlOption, commonOptions, type SwitcherContext } from './options.ts';
import type { Switcher } from './switcher.ts';

export const cloudflareSchema = z
  .strictObject({
    kind: z.literal('cloudflare'),
    ...commonOptions,
    /** With the permission "Zone.DNS: Edit" for the zone. */
    apiToken: z
      .string()
      .regex(/^[\x21-\x7e]{1,512}$/, 'expected a token: visible characters without spaces')
      .transform(secret),
    /** The zone's name, such as example.org. */
    zone: domainName,
    /** The record that points at the active target; else the service's domain. */
    record: domainName.optional(),
    /** Whether Cloudflare stands between clients and the target; only then a switch reaches everybody at once. */
    proxied: z.boolean().default(true),
    ttlSeconds: z
      .union([z.literal('auto'), z.int().min(30).max(86_400)], 'expected auto, or 30 to 86400 seconds')
      .default('auto'),
    baseUrl: baseUrlOption('https://api.cloudflare.com/client/v4'),
  })
  .refine(({ proxied, ttlSeconds }) => !proxied || ttlSeconds === 'auto', {
    path: ['ttlSeconds'],
    message: 'expected auto: the time to live of a proxied record is chosen by Cloudflare',
  });

type CloudflareConfig = z.output<typeof cloudflareSchema>;

/** A token that ends within two weeks is worth a word. */
const soonMs = 14 * 86_400_000;

/** The record is gone, or an equal one is there already: somebody else writes, too. */
const racingCodes = { gone: 81_044, exists: [81_053, 81_057, 81_058] };

/**
 * Keeps one A record (AAAA for a target with an IPv6 address) of one name at Cloudflare: creates it, changes it, makes one
 * of several, and puts its proxying and time to live right. No other name and no other type is ever touched. Cloudflare has
 * no compare-and-set: what two leaders write at once is put right by reading back.
 *
 * @throws HsdoError `config` without a name for the record.
 */
export function createCloudflareSwitcher(config: CloudflareConfig, { domain, clock }: SwitcherContext): Switcher {
  const name = config.record ?? domain;
  if (name === undefined)
    throw new HsdoError('config', 'The switcher "cloudflare" needs the domain of its service, or a record');
  const api = createCloudflareApi(config.baseUrl, config.apiToken);
  const ttl = config.ttlSeconds === 'auto' ? 1 : config.ttlSeconds;
  let zone: string | undefined;

  /** The id of a zone changes when it is taken away and set up again: it is looked up once more then. */
  async function read(
    signal: AbortSignal,
  ): Promise<{ readonly zone: string; readonly records: readonly CloudflareRecord[] }> {
    const known = zone;
    zone ??= await api.zoneId(config.zone, signal);
    const records = await api.records(zone, name as string, signal);
    if (records !== undefined) return { zone, records: addressRecords(name as string, records) };
    const lost = zone;
    zone = undefined;
    if (known !== undefined) return read(signal);
    throw new HsdoError('unavailable', `Cloudflare names zone "${config.zone}" ${lost}, and does not know that`);
  }

  const flawsOf = (record: CloudflareRecord): string[] => {
    if (record.proxied !== config.proxied) return [record.proxied ? 'proxied' : 'not proxied'];
    return record.ttl === ttl ? [] : [`ttl ${record.ttl}`];
  };

  async function put(place: string, kept: CloudflareRecord | undefined, fields: RecordFields, signal: AbortSignal) {
    if (kept && canonical(kept.content) === fields.content && flawsOf(kept).length === 0) return;
    const refusal = await (kept
      ? api.write('PATCH', `${place}/${kept.id}`, fields, signal)
      : api.write('POST', place, fields, signal));
    if (refusal === undefined) return;
    const isRace = says(refusal, racingCodes.gone, ...racingCodes.exists);
    if (isRace)
      throw new HsdoError('unavailable', `Somebody else changes the records of "${name}": ${wordsOf(refusal)}`);
    throw refused(`point "${name}" at ${fields.content}`, refusal);
  }

  return {
    async verify(signal) {
      const endsAt = await api.tokenEndsAt(signal);
      if (endsAt === undefined) return undefined;
      const says = `the token ends on ${new Date(endsAt).toISOString().slice(0, 10)}`;
      return endsAt - clock.now() > soonMs
        ? { says }
        : { says, remedy: 'make another one and put it into switch.apiToken' };
    },

    async current(signal) {
      const { records } = await read(signal);
      const [first, ...others] = records;
      if (first === undefined) return undefined;
      if (new Set(records.map(({ type }) => type)).size > 1) throw mixed(name, records);
      if (others.length > 0)
        return records
          .map(({ content }) => canonical(content))
          .sort()
          .join(', ');
      const flaws = flawsOf(first);
      return `${canonical(first.content)}${flaws.length === 0 ? '' : ` (${flaws.join(', ')})`}`;
    },

    async switchTo({ address }, signal) {
      const type = isIP(address) === 6 ? 'AAAA' : 'A';
      const { zone: id, records } = await read(signal);
      if (records.some((one) => one.type !== type)) throw mixed(name, records, type);
      // Two leaders that put the same records right must keep the same one, or each would remove the other's.
      const [kept, ...others] = records.toSorted((one, other) => (one.id < other.id ? -1 : 1));
      const place = `/zones/${id}/dns_records`;
      // First, since Cloudflare refuses to make two records equal.
      for (const one of others) {
        const refusal = await api.write('DELETE', `${place}/${one.id}`, undefined, signal);
        if (refusal && !says(refusal, racingCodes.gone))
          throw refused(`remove the second record of "${name}"`, refusal);
      }
      await put(place, kept, { type, name, content: address, proxied: config.proxied, ttl }, signal);
    },
  };
}

/** Those by which a client finds an address. @throws HsdoError `rejected` where the name is another name's. */
function addressRecords(name: string, records: readonly CloudflareRecord[]): readonly CloudflareRecord[] {
  const alias = records.find(({ type }) => type === 'CNAME');
  if (alias === undefined) return records.filter(({ type }) => type === 'A' || type === 'AAAA');
  const found = `"${name}" is a CNAME at Cloudflare, of ${alias.content}`;
  throw new HsdoError('rejected', `${found}; expected no record, or an A or AAAA record: please remove the CNAME`);
}

function mixed(name: string, records: readonly CloudflareRecord[], wanted?: string): HsdoError {
  const found = records.map(({ type, content }) => `${type} ${content}`).join(', ');
  const expected = wanted === undefined ? 'one kind of address' : `${wanted} records alone`;
  return new HsdoError(
    'rejected',
    `"${name}" has the records ${found} at Cloudflare; expected ${expected}, since clients would go on using the others: please remove those`,
  );
}

/** As targets have their addresses; what is no address stays as it is. */
const canonical = (content: string) => (isIP(content) === 0 ? content : ipaddr.process(content).toString());
