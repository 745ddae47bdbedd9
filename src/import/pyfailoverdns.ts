import { showEndpoint } from '../model/endpoint.ts';
import type { Draft } from './draft.ts';
import { createServiceNames, makeRoom } from './places.ts';
import { type Cursor, port, type Range, type Reading } from './reading.ts';

const seconds: Range = { min: 0.05, max: 57_600 };
const ttl: Range = { min: 0, max: 604_800, isWhole: true };

/** Makes a configuration of ours of that of PyFailoverDNS's master: agents alone check, and one that reaches a target is enough. */
export function importPyfailoverdns({ root, faults }: Reading, draft: Draft): void {
  const domains = root
    .at('zones')
    .items()
    .flatMap((zone) =>
      zone
        .at('domains')
        .entries()
        .map(([domain, cursor]) => ({ zone, domain, cursor })),
    );
  if (domains.length === 0 && faults.length === 0) root.at('zones').fault('expected a zone with at least one domain');
  const common = commonZone(domains);
  const nameOf = createServiceNames();
  for (const [n, { zone, domain, cursor }] of domains.entries()) {
    const own = common === undefined ? domain : domain.slice(0, -common.length - 1);
    draft.put(['services', n, 'name'], nameOf(own), cursor);
    if (common === undefined) draft.put(['services', n, 'domain'], domain, cursor);
    importDomain(cursor, { draft, n, fallbackTtl: zone.at('fallback_ttl') });
  }
  for (const zone of root.at('zones').items()) zone.at('name').text();
  importListeners(root, common, draft);
  draft.differs(
    root.at('zones'),
    'a name below the zones that nobody declared does not exist (NXDOMAIN); PyFailoverDNS says 127.0.0.1',
  );
}

/** Whether there is anything to complain of one by one. */
const hasEntries = ({ value }: Cursor) => Array.isArray(value) && value.length > 0;

interface Found {
  readonly zone: Cursor;
  readonly domain: string;
  readonly cursor: Cursor;
}

/** The one zone right below which all domains lie: then they are names below `dns.domain`, else each has a domain of its own. */
function commonZone(domains: readonly Found[]): string | undefined {
  const zones = new Set(domains.map(({ zone }) => zone.at('name').text() ?? ''));
  const [zone = ''] = zones;
  const isBelow = ({ domain }: Found) =>
    domain.endsWith(`.${zone}`) && /^[A-Za-z0-9_-]{1,60}$/.test(domain.slice(0, -zone.length - 1));
  return zones.size === 1 && zone !== '' && domains.every(isBelow) ? zone : undefined;
}

interface Serving {
  readonly draft: Draft;
  readonly n: number;
  readonly fallbackTtl: Cursor;
}

function importDomain(domain: Cursor, { draft, n, fallbackTtl }: Serving): void {
  const service = ['services', n] as const;
  const policy = domain.at('server').at('policy').word(['any', 'priority', 'quorum', 'all']) ?? 'any';
  importTargets(domain.at('monitor').at('targets'), policy === 'priority', draft, n);
  const mode = domain.at('monitor').at('mode');
  draft.put([...service, 'check', 'kind'], mode.word(['tcp', 'http', 'icmp']) ?? 'tcp', mode);
  const interval = domain.at('agent').at('interval_sec').number(seconds) ?? 30;
  draft.put([...service, 'check', 'intervalSeconds'], interval, domain.at('agent').at('interval_sec'));
  const timeout = domain.at('agent').at('timeout_sec');
  draft.put([...service, 'check', 'timeoutSeconds'], timeout.number({ min: 0.05, max: 3600 }) ?? 5, timeout);
  for (const [key, value] of [
    ['retries', 0],
    ['rise', 1],
    ['fall', 1],
  ] as const)
    draft.put([...service, 'check', key], value);
  draft.put([...service, 'check', 'holdDown', 'seconds'], 0);
  importAgents(domain, interval, draft, service);
  const voting = domain.at('server').at('policy');
  draft.put([...service, 'vote', 'policy'], policy === 'priority' ? 'any' : policy, voting);
  draft.put([...service, 'vote', 'missing'], 'down');
  draft.note([...service, 'vote'], 'Whoever is silent says no, and so it is when nobody is left.');
  draft.put([...service, 'select'], policy === 'priority' ? 'priority' : 'all', voting);
  if (policy === 'priority')
    draft.differs(
      voting,
      'the highest number comes first; the first versions of PyFailoverDNS took the lowest: turn the numbers round if yours does',
    );
  if (policy === 'quorum' || policy === 'all')
    draft.differs(voting, 'PyFailoverDNS announces it; hsdo counts the agents that report');
  const fallback = domain
    .at('fallback')
    .items()
    .flatMap((one) => one.address() ?? []);
  if (fallback.length === 0 && !hasEntries(domain.at('fallback')))
    domain.at('fallback').fault('expected at least one address');
  draft.put([...service, 'whenAllDown', 'fallback'], fallback, domain.at('fallback'));
  const lasts = fallbackTtl.number(ttl);
  if (lasts !== undefined) draft.put([...service, 'whenAllDown', 'ttlSeconds'], lasts, fallbackTtl);
}

function importTargets(targets: Cursor, isRanked: boolean, draft: Draft, n: number): void {
  const all = targets.items();
  if (all.length === 0) targets.fault('expected at least one target with ip and port');
  draft.put(['services', n, 'source', 'kind'], 'static');
  makeRoom(draft, n, all.length);
  all.forEach((target, index) => {
    const [address, number] = [target.at('ip').address() ?? '', target.at('port').number(port)];
    if (!target.at('ip').isThere) target.at('ip').fault('missing: expected an IP address');
    const priority = target.at('priority').number({ min: 0, max: 65_535, isWhole: true });
    const at = number === undefined ? address : showEndpoint(address, number);
    const ranked = { address, ...(number === undefined ? {} : { port: number }), priority: priority ?? 0 };
    draft.put(['services', n, 'source', 'targets', index], isRanked ? ranked : at, target);
    if (!isRanked && priority !== undefined)
      draft.left(target.at('priority'), 'only the policy priority uses it, in PyFailoverDNS, too');
  });
}

function importAgents(domain: Cursor, interval: number, draft: Draft, service: readonly (string | number)[]): void {
  const agents = [...service, 'agents'];
  const token = domain.at('agent').at('token');
  if (token.text() === undefined) {
    const name = draft.newSecret([...agents, 'token'], 'AGENT_TOKEN', domain.at('agent'));
    draft.left(
      domain.at('agent'),
      `without a token anybody could report; choose one, set ${name} to it, and give it to the agents`,
      true,
    );
  } else {
    draft.secret([...agents, 'token'], 'AGENT_TOKEN', token);
    if ((token.text() ?? '').length < 8) token.fault('expected at least 8 characters');
  }
  const tags = domain.at('monitor').at('monitor_tag');
  const words = Array.isArray(tags.value)
    ? tags.items().flatMap((tag) => tag.text() ?? [])
    : (tags.text() ?? '').split(/\s+/).filter((tag) => tag !== '');
  if (words.length > 0) draft.put([...agents, 'tags'], words, tags);
  const fresh = domain.at('server').at('timeout_sec');
  const seen = fresh.number({ min: 0.5, max: 86_400 }) ?? 60;
  const enough = Math.max(seen, Math.min(86_400, interval * 1.5));
  draft.put([...agents, 'freshSeconds'], enough, fresh);
  if (enough !== seen)
    draft.differs(
      fresh,
      `a report stands for ${enough} s here: with ${seen} s, and one each ${interval} s, every address would be down again and again`,
    );
  draft.put([...agents, 'only'], true);
  draft.note(
    [...agents, 'only'],
    'Agents alone check, as with the master of PyFailoverDNS. Without this line hsdo checks, too.',
  );
}

function importListeners(root: Cursor, domain: string | undefined, draft: Draft): void {
  const [dns, api] = [root.at('dns'), root.at('api')];
  const listen = (block: Cursor, usual: number) =>
    showEndpoint(block.at('listen_ip').address() ?? '0.0.0.0', block.at('listen_port').number(port) ?? usual);
  draft.put(['dns', 'listen'], [listen(dns, 8053)], dns.at('listen_port'));
  if (domain !== undefined) draft.put(['dns', 'domain'], domain, root.at('zones'));
  draft.put(['dns', 'ttlSeconds'], dns.at('resolve_cache_ttl').number(ttl) ?? 5, dns.at('resolve_cache_ttl'));
  draft.put(['api', 'agents', 'listen'], listen(api, 8000), api.at('listen_port'));
  if (dns.at('threads').isThere) draft.left(dns.at('threads'), 'a thread of its own answers; one is enough');
  if (api.at('enabled').flag() === false)
    draft.left(
      api.at('enabled'),
      'agents need it: nobody else checks; to have hsdo check instead, remove agents from the services',
      true,
    );
}
