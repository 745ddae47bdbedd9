import { isIP } from 'node:net';
import { showEndpoint } from '../model/endpoint.ts';
import type { Draft } from './draft.ts';
import { createServiceNames, makeRoom, within } from './places.ts';
import type { Cursor, Reading } from './reading.ts';

/** Up to any number of seconds; more digits are no time. */
const seconds = { min: 0, max: 1_000_000_000 };
const shortest = 0.05;

/** Makes a configuration of ours of har's, with har's defaults (har.c) wherever ours are others. */
export function importHar({ root, faults }: Reading, draft: Draft): void {
  const nameservers = listOf(root.at('nameservers'));
  const servers = nameservers.flatMap((cursor) => cursor.address() ?? []);
  if (nameservers.length === 0) root.at('nameservers').fault('missing: expected addresses, such as { 192.0.2.53 }');
  const names = root.at('name').isThere ? root.at('name').items() : [];
  if (names.length === 0 && faults.length === 0)
    root.at('name').fault('missing: expected at least one name HOST { ... }');
  const nameOf = createServiceNames();
  const shortNames = names.map((name) => String(name.at('title').value).split('.')[0] ?? '');
  const isShort = shortNames.every((name, n) => name !== '' && shortNames.indexOf(name) === n);
  for (const [n, cursor] of names.entries())
    importName(cursor, { draft, n, nameOf: (host) => nameOf(isShort ? (shortNames[n] ?? host) : host), servers });
  importDns(root, servers, draft);
  const data = root.at('data_file');
  if (data.text() !== undefined)
    draft.left(data, 'hsdo keeps what it knows in .hsdo/hsdo.db (store.path); nothing of the old file is needed');
}

const listOf = (cursor: Cursor): readonly Cursor[] => {
  if (!cursor.isThere) return [];
  return Array.isArray(cursor.value) ? cursor.items() : [cursor];
};

interface Naming {
  readonly draft: Draft;
  readonly n: number;
  readonly nameOf: (wanted: string) => string;
  readonly servers: readonly string[];
}

function importName(name: Cursor, naming: Naming): void {
  const { draft, n } = naming;
  const service = ['services', n] as const;
  const host = name.at('title').needText('a host name');
  draft.put([...service, 'name'], naming.nameOf(host));
  draft.put([...service, 'domain'], host, name.at('title'));
  const interval = name.at('check_frequency').number({ min: 0.000_001, max: seconds.max }) ?? 60;
  const method = name.at('check_method');
  if (method.isThere && method.text()?.startsWith('http') !== true)
    method.fault('expected http: har knows no other check');
  draft.put([...service, 'check', 'kind'], 'http', method);
  const candidates = name.at('candidate').isThere ? name.at('candidate').items() : [];
  if (candidates.length === 0)
    name.at('candidate').fault('missing: expected at least one candidate HOST { check_address = URL }');
  importCandidates(name, candidates, naming);
  importTimes(name, interval, draft, [...service, 'check']);
  importSelection(name, draft, service);
}

function importTimes(name: Cursor, interval: number, draft: Draft, check: readonly (string | number)[]): void {
  const timeout = name.at('check_timeout').number(seconds) ?? 0;
  draft.put([...check, 'intervalSeconds'], within(interval, shortest, 86_400), name.at('check_frequency'));
  draft.put(
    [...check, 'timeoutSeconds'],
    within(timeout > 0 ? timeout : interval, shortest, 3600),
    name.at('check_timeout'),
  );
  if (timeout === 0)
    draft.note(
      [...check, 'timeoutSeconds'],
      'har waits as long as check_frequency; a shorter time finds a silent candidate sooner',
    );
  for (const [key, value] of [
    ['retries', 0],
    ['rise', 1],
    ['fall', 1],
  ] as const)
    draft.put([...check, key], value);
  draft.put([...check, 'holdDown', 'seconds'], 0);
}

/** What har asks a candidate for. */
interface Asked {
  readonly title: string;
  readonly cursor: Cursor;
  readonly url: URL;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

function askedOf(candidate: Cursor): Asked | undefined {
  const cursor = candidate.at('check_address');
  const title = candidate.at('title').needText('a host name');
  const text = cursor.needText('a URL such as http://api1.example.com/ping');
  const expected = 'expected an http:// or https:// URL without user and password';
  if (text === '') return undefined;
  const isFine = /^https?:\/\/[!-~]+$/i.test(text) && URL.canParse(text) && !/^[^/?#]*\/\/[^/?#]*@/.test(text);
  if (!isFine) return cursor.fault(expected);
  const url = new URL(text);
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 || /^[A-Za-z0-9_.-]{1,253}$/.test(host)) return { title, cursor, url, host, port };
  return cursor.fault('expected a host that DNS knows, or an address');
}

function importCandidates(name: Cursor, candidates: readonly Cursor[], { draft, n, servers }: Naming): void {
  const asked = candidates.flatMap((candidate) => askedOf(candidate) ?? []);
  const service = ['services', n] as const;
  makeRoom(draft, n, asked.length);
  if (asked.every(({ host }) => isIP(host) !== 0)) {
    draft.put([...service, 'source', 'kind'], 'static');
    for (const [index, { title, host, port, url, cursor }] of asked.entries()) {
      draft.put([...service, 'source', 'targets', index], { name: title, address: host, port }, cursor);
      draft.put([...service, 'check', 'targets', title], { url: url.href }, cursor);
    }
    return;
  }
  for (const [index, { host, port, cursor }] of asked.entries()) {
    const source = { kind: 'dns', names: [host], port, type: 'A', ...(servers.length > 0 ? { servers } : {}) };
    const literal = { kind: 'static', targets: [{ address: host, port }] };
    draft.put([...service, 'source', index], isIP(host) === 0 ? source : literal, cursor);
  }
  const [first] = asked;
  if (first === undefined) return;
  const askedFor = ({ url }: Asked) => `${url.protocol} ${url.pathname}${url.search}`;
  if (first.url.protocol === 'https:') draft.put([...service, 'check', 'scheme'], 'https', first.cursor);
  draft.put([...service, 'check', 'path'], `${first.url.pathname}${first.url.search}`, first.cursor);
  for (const other of asked) {
    if (askedFor(other) === askedFor(first)) continue;
    const words = `candidates whose addresses come from DNS are all asked alike in hsdo, here for ${first.url.pathname}; let them answer alike, or write their addresses into a static source and a url each into check.targets`;
    draft.left(other.cursor, words, true);
  }
  draft.differs(
    name,
    'har says the host of check_address as Host, hsdo the name that is asked for (domain): the candidates must answer to that, too',
  );
}

function importSelection(name: Cursor, draft: Draft, service: readonly (string | number)[]): void {
  const method = name.at('selection_method').word(['best_rtt', 'group_rtt_rr']) ?? 'best_rtt';
  const isGroup = method === 'group_rtt_rr';
  draft.put([...service, 'select', 'kind'], isGroup ? 'group-rtt-rr' : 'best-rtt', name.at('selection_method'));
  draft.put(
    [...service, 'select', 'rttMode'],
    name.at('rtt_mode').word(['total', 'connect']) ?? 'total',
    name.at('rtt_mode'),
  );
  const inMs = (key: string, to: string) => {
    const found = name.at(key).number(seconds);
    if (found !== undefined)
      draft.put([...service, 'select', to], within(Math.round(found * 1e6) / 1000, 0.1, 3_600_000), name.at(key));
  };
  inMs('max_rtt', 'maxRttMs');
  const threshold = name.at('group_rtt_threshold');
  if (isGroup) inMs('group_rtt_threshold', 'groupThresholdMs');
  else if (threshold.isThere) draft.left(threshold, 'only group_rtt_rr uses it, in har, too');
  const mode = name.at('failure_mode').word(['none', 'all']) ?? 'none';
  draft.put([...service, 'whenAllDown'], mode, name.at('failure_mode'));
  if (mode === 'all')
    draft.differs(name.at('failure_mode'), 'har gives all addresses in one answer then; hsdo goes on with one in turn');
  else
    draft.differs(
      name,
      'when no candidate is up har asks its nameservers for the name; hsdo answers that there is no address',
    );
}

function importDns(root: Cursor, servers: readonly string[], draft: Draft): void {
  const port = root.at('dns_listen_port').number({ min: 1, max: 65_535, isWhole: true }) ?? 15_353;
  const interfaces = listOf(root.at('dns_bind_interfaces'));
  const hosts = interfaces.flatMap((one) =>
    one.text() === 'localhost' ? ['127.0.0.1', '::1'] : (one.address() ?? []),
  );
  const all = interfaces.length === 0 ? ['0.0.0.0', '::'] : [...new Set(hosts)];
  draft.put(
    ['dns', 'listen'],
    all.map((host) => showEndpoint(host, port)),
    root.at('dns_bind_interfaces'),
  );
  draft.put(['dns', 'ttlSeconds'], 0);
  draft.put(['dns', 'otherTypes'], 'forward');
  draft.note(['dns', 'otherTypes'], 'Other types of these names, and all other names, are asked of the servers below.');
  draft.put(['dns', 'forward', 'to'], servers, root.at('nameservers'));
  const timeout = root.at('resolver_timeout').number(seconds) ?? 1;
  draft.put(['dns', 'forward', 'timeoutSeconds'], within(timeout, shortest, 30), root.at('resolver_timeout'));
  draft.put(['dns', 'forward', 'tries'], within(servers.length, 2, 10));
  if (interfaces.length > 0) return;
  draft.differs(
    root.at('dns_bind_interfaces'),
    'questions for other names are answered for private networks only (dns.forward.allow); har answers everybody',
  );
}
