import { showEndpoint } from '../model/endpoint.ts';
import type { Draft } from './draft.ts';
import { makeRoom, within } from './places.ts';
import { type Cursor, port } from './reading.ts';

type Kind = 'http' | 'tcp' | 'postgres' | 'sentinel' | 'none';
type Service = readonly (string | number)[];

export interface Recording {
  readonly draft: Draft;
  /** Number of the service. */
  readonly n: number;
  readonly interval: number;
  readonly update: Cursor;
}

/** The addresses of a record, and how they are checked. */
export function importChecked(record: Cursor, kind: Kind, recording: Recording): void {
  const { draft, n } = recording;
  const service = ['services', n];
  if (kind === 'sentinel') {
    importSentinel(record, draft, service);
    return;
  }
  const ips = record.at('Ip').items();
  if (ips.length === 0) record.at('Ip').fault('expected at least one Addr');
  importTargets(ips, draft, n);
  if (kind === 'none') {
    draft.put([...service, 'check'], 'none', record.at('ServiceType'));
    return;
  }
  const check = [...service, 'check'];
  draft.put([...check, 'kind'], kind, record.at('ServiceType'));
  if (kind === 'http') importHttp(record, ips, draft, check);
  if (kind === 'tcp') draft.put([...check, 'timeoutSeconds'], 1);
  if (kind === 'postgres') importPostgres(record, ips, draft, check);
  draft.put([...check, 'intervalSeconds'], within(recording.interval, 0.05, 86_400), recording.update);
  const retries = record.at('Options').at('RetryCount');
  const wanted = retries.number({ min: 0, max: 1000, isWhole: true }) ?? 0;
  if (kind !== 'postgres') {
    draft.put([...check, 'retries'], within(wanted, 0, 10), retries);
    if (wanted > 0)
      draft.differs(
        retries,
        'hsdo repeats at once what timed out; what was refused is no at the first time, and fall: 2 would ask again an interval later',
      );
  }
  for (const key of ['rise', 'fall']) draft.put([...check, key], 1);
  draft.put([...check, 'holdDown', 'seconds'], 0);
}

function importTargets(ips: readonly Cursor[], draft: Draft, n: number): void {
  const targets = ips.map((ip) => {
    const [address, number] = [ip.at('Addr').address(), ip.at('Port').number(port)];
    if (!ip.at('Addr').isThere) ip.at('Addr').fault('missing: expected an IP address');
    return { text: number === undefined ? (address ?? '') : showEndpoint(address ?? '', number), ip };
  });
  makeRoom(draft, n, targets.length);
  draft.put(['services', n, 'source', 'kind'], 'static');
  for (const [index, { text, ip }] of targets.entries()) {
    const isTwice = targets.findIndex((other) => other.text === text) < index;
    if (isTwice) ip.at('Addr').fault('expected each address once');
    draft.put(['services', n, 'source', 'targets', index], text, ip);
  }
}

function importHttp(record: Cursor, ips: readonly Cursor[], draft: Draft, check: Service): void {
  const options = record.at('Options');
  for (const ip of ips) {
    const url = ip.at('Url');
    const [address, text] = [ip.at('Addr').text() ?? '', url.text()];
    if (text === undefined) {
      draft.left(
        url,
        'HAnoProxY could ask nobody without it, so the address was always down; hsdo asks the address itself, for /',
        true,
      );
    } else draft.put([...check, 'targets', address], { url: withoutLogin(text, url, draft) }, url);
  }
  const code = options.at('Expected_Response_Code');
  const expected = code.number({ min: 100, max: 599, isWhole: true });
  draft.put([...check, 'expectedCodes'], expected ?? 200, code);
  if (expected === undefined)
    draft.differs(options, 'without Expected_Response_Code nothing was ever right for HAnoProxY; hsdo expects 200');
  const method = options.at('HttpMethod');
  draft.put([...check, 'method'], method.word(['GET', 'POST', 'HEAD']) ?? 'GET', method);
  for (const key of ['followRedirects', 'followToOtherHosts']) draft.put([...check, key], true);
  draft.put([...check, 'timeoutSeconds'], 5);
  draft.differs(record, 'an answer must come within 5 s; HAnoProxY waits as long as the system does');
}

/** The URL as our check takes it: a login has its place in a header, where it is kept secret. */
function withoutLogin(text: string, from: Cursor, draft: Draft): string {
  const bare = text.replace(/^(https?:\/\/)[^/?#]*@/i, '$1');
  if (bare !== text)
    draft.left(
      from,
      'its login was taken out of the URL; write it as check.headers: { Authorization: { env: NAME } }',
      true,
    );
  return bare;
}

function importPostgres(record: Cursor, ips: readonly Cursor[], draft: Draft, check: Service): void {
  const options = record.at('Options');
  const [primary, replica] = [options.at('MasterOnly'), options.at('SlaveOnly')];
  const [isPrimary, isReplica] = [primary.flag() ?? false, replica.flag() ?? false];
  draft.put([...check, 'role'], isPrimary ? 'primary' : isReplica ? 'replica' : 'any', isReplica ? replica : primary);
  if (isPrimary && isReplica) draft.left(replica, 'nobody is both; MasterOnly was taken', true);
  if (isPrimary)
    draft.differs(primary, 'of two primaries only that with the newer timeline is up, and hsdo remembers it');
  const database = options.at('DbName').text();
  const [first] = ips;
  for (const [index, ip] of ips.entries()) {
    const user = ip.at('UserName').needText('a user of PostgreSQL');
    const isAsFirst = ['UserName', 'Password'].every((key) => ip.at(key).text() === first?.at(key).text());
    if (index > 0 && isAsFirst) continue;
    const own = index === 0 ? check : [...check, 'targets', ip.at('Addr').text() ?? ''];
    draft.put([...own, 'user'], user, ip.at('UserName'));
    draft.secret([...own, 'password'], 'POSTGRES_PASSWORD', ip.at('Password'));
    if (database === undefined) draft.put([...own, 'database'], user);
  }
  if (database !== undefined) draft.put([...check, 'database'], database, options.at('DbName'));
  draft.put([...check, 'timeoutSeconds'], 5);
  draft.differs(
    record,
    'the password goes over a connection without TLS unless check.tls is true; HAnoProxY tries TLS first',
  );
}

/** Source and check ask the same sentinels: the one finds the master, the other one watches it. */
function importSentinel(record: Cursor, draft: Draft, service: Service): void {
  const options = record.at('Options');
  const sentinels = record.at('Sentinels').items();
  if (sentinels.length === 0) record.at('Sentinels').fault('expected at least one Addr');
  const master = options.at('SentinelMonitorMasterName');
  for (const part of ['source', 'check']) {
    const path = [...service, part];
    draft.put([...path, 'kind'], 'redis-sentinel', record.at('ServiceType'));
    draft.put([...path, 'masterName'], master.needText('the name that the sentinels know the master by'), master);
    for (const [n, sentinel] of sentinels.entries()) {
      const one = [...path, 'sentinels', n];
      draft.put([...one, 'host'], sentinel.at('Addr').needText('an address'), sentinel.at('Addr'));
      draft.put([...one, 'port'], sentinel.at('Port').number(port) ?? 26_379, sentinel.at('Port'));
      draft.secret([...one, 'password'], 'SENTINEL_PASSWORD', sentinel.at('Password'));
    }
  }
  draft.put([...service, 'size'], 1);
  const words =
    'most of the sentinels must agree, and the Redis itself must say that it is the master: should it want a password, add password: { env: REDIS_PASSWORD } to source and check. HAnoProxY believes the first sentinel that answers';
  draft.differs(record.at('Sentinels'), words);
  draft.differs(record, 'sentinels are asked each second and tell of a failover at once, whatever UpdateInterval says');
  const ips = record.at('Ip');
  for (const ip of ips.isThere ? ips.items() : []) {
    draft.left(ip.at('Addr'), 'the sentinels say who is the master; until most of them agree nobody is');
  }
}
