import { showEndpoint } from '../model/endpoint.ts';
import type { Draft } from './draft.ts';
import { importChecked, type Recording } from './hanoproxy-check.ts';
import { createServiceNames } from './places.ts';
import { type Cursor, port, type Reading } from './reading.ts';

const seconds = { min: 0, max: 86_400 };

/** Makes a configuration of ours of HAnoProxY's. Its keys are the same in capital and small letters. */
export function importHanoproxy({ root, faults }: Reading, draft: Draft): void {
  const options = root.at('GlobalOptions');
  const records = root.at('DnsRecords').items();
  const update = options.at('UpdateInterval');
  const interval = update.number(seconds) ?? 60;
  const nameOf = createServiceNames();
  let services = 0;
  for (const record of records) {
    const name = (record.at('Name').text() ?? '').toLowerCase();
    const isDefault = name === '';
    if (isDefault && !isChecked(record)) {
      importDefault(record, draft);
      continue;
    }
    const n = services;
    services += 1;
    const own = nameOf(isDefault ? 'undeclared' : name);
    draft.put(['services', n, 'name'], own, record.at('Name'));
    if (isDefault) draft.put(['dns', 'undeclared', 'service'], own, record);
    importRecord(record, { draft, n, interval: interval === 0 ? 1 : interval, update });
  }
  if (services === 0 && faults.length === 0) root.at('DnsRecords').fault('expected at least one record with a name');
  importGlobal(options, draft);
  if (draft.tree['dns'] !== undefined && !('undeclared' in (draft.tree['dns'] as object)))
    draft.differs(
      root.at('DnsRecords'),
      'a name below HADomain that nobody declared does not exist (NXDOMAIN); HAnoProxY says SERVFAIL',
    );
}

const isChecked = (record: Cursor) => record.at('Options').at('CheckForHealth').flag() === true;

/** The record without a name: what every name is that nobody declared. */
function importDefault(record: Cursor, draft: Draft): void {
  const addresses = record
    .at('Ip')
    .items()
    .flatMap((ip) => ip.at('Addr').address() ?? []);
  if (addresses.length === 0) record.at('Ip').fault('expected at least one Addr');
  record.at('ServiceType').text();
  record.at('Options').at('LBmethod').text();
  draft.put(['dns', 'undeclared', 'addresses'], addresses, record);
  if (addresses.length > 1)
    draft.differs(
      record,
      'names that nobody declared have all of these addresses at once; HAnoProxY gives one in turn',
    );
}

function importRecord(record: Cursor, recording: Recording): void {
  const { draft, n } = recording;
  const kind = record.at('ServiceType').word(['http', 'tcp', 'postgres', 'sentinel', 'none']) ?? 'none';
  const options = record.at('Options');
  importChecked(record, isChecked(record) ? kind : 'none', recording);
  const method = options.at('LBmethod').text()?.toLowerCase().replaceAll(/[-_ ]/g, '');
  if (method !== undefined && !['activepassive', 'roundrobin'].includes(method))
    options.at('LBmethod').fault('expected active-passive or round-robin');
  // A sentinel's service has one target at a time.
  if (kind === 'sentinel' && isChecked(record)) return;
  if (method === 'activepassive') {
    const select = { kind: 'active-passive', failbackSeconds: 0 };
    draft.put(['services', n, 'select'], select, options.at('LBmethod'));
    draft.differs(
      options.at('LBmethod'),
      'the first address comes first, and again once it is up; HAnoProxY begins with the second and stays where it is: failback: false does that',
    );
  } else draft.put(['services', n, 'select'], 'round-robin', options.at('LBmethod'));
  draft.put(['services', n, 'whenAllDown'], 'first');
  draft.note(
    ['services', n, 'whenAllDown'],
    kind === 'postgres'
      ? 'With roles this means last-good: a wrong primary does more harm than none.'
      : 'As HAnoProxY does.',
  );
}

function importGlobal(options: Cursor, draft: Draft): void {
  const [host, listen] = [options.at('ListenIP'), options.at('ListenPort')];
  draft.put(['dns', 'listen'], [showEndpoint(host.address() ?? '0.0.0.0', listen.number(port) ?? 53)], listen);
  const domain = options.at('HADomain');
  draft.put(['dns', 'domain'], domain.needText('a domain such as ha.local'), domain);
  const ttl = options.at('TTL');
  draft.put(['dns', 'ttlSeconds'], ttl.number({ min: 0, max: 604_800, isWhole: true }) ?? 5, ttl);
  const upstream = options.at('UpStreamDnsServer');
  const isRecursive = options.at('EnableRecursiveDnsServer').flag() ?? upstream.isThere;
  if (isRecursive) {
    draft.put(['dns', 'forward', 'to'], [upstream.address() ?? '8.8.8.8'], upstream);
    draft.note(
      ['dns', 'forward'],
      'All other names. Only private networks may ask (allow), where HAnoProxY answers everybody.',
    );
    draft.differs(upstream, 'answers of others are cached, and given to private networks only (dns.forward.allow)');
  } else if (upstream.isThere)
    draft.left(upstream, 'EnableRecursiveDnsServer is false, so nobody is asked; other names are refused');
}
