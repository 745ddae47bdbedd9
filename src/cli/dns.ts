import type { DnsView } from '../api/view.ts';
import { someOf } from '../deliver/notify/words.ts';
import { ago, agoInWords } from './table.ts';

/** What a person should look at in how names are answered. */
export function dnsTrouble(dns: DnsView | undefined, at: number): readonly string[] {
  if (dns === undefined) return [];
  const upstreams = dns.upstreams.flatMap(({ server, isUp, failures }) =>
    isUp ? [] : [`dns: ${server} leaves questions unanswered, ${failures} in the last minute`],
  );
  return [...silenceTrouble(dns, at), ...upstreams];
}

/** One line, however many services there are: one store keeps them all. */
function silenceTrouble({ services }: DnsView, at: number): readonly string[] {
  const silent = services.flatMap(({ name, silentSinceAt }) =>
    silentSinceAt === undefined ? [] : [{ name, silentSinceAt }],
  );
  if (silent.length === 0) return [];
  const longest = Math.min(...silent.map(({ silentSinceAt }) => silentSinceAt));
  const names = someOf(silent.map(({ name }) => name));
  return [`dns: ${names}: answered from the last list, the store has been silent for ${ago(longest, at)}`];
}

/** The lines of `hsdo status` on DNS. */
export function showDns(dns: DnsView | undefined, at: number): readonly string[] {
  if (dns === undefined) return [];
  const { addresses, transport, reason, names, queriesPerSecond, store, upstreams } = dns;
  const way = transport === undefined ? '' : ` (${transport}${reason === undefined ? '' : `: ${reason}`})`;
  const place = addresses.length === 0 ? 'nobody listens' : `${addresses.join(', ')}${way}`;
  const asked = upstreams.map(
    ({ server, isUp, answers, failures }) =>
      `        forwards to ${server}: ${isUp ? 'up' : 'silent'}, ${answers} answers and ${failures} failures in the last minute`,
  );
  return [
    `dns     ${place}`,
    `        ${names} names, ${queriesPerSecond.toFixed(1)} queries a second, store's last answer ${agoInWords(store.lastSuccessAt, at)}`,
    ...asked,
  ];
}
