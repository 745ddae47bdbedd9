import type { Draft } from './draft.ts';
import { makeRoom, within } from './places.ts';
import { type Cursor, port, type Range } from './reading.ts';

export interface Serving {
  readonly draft: Draft;
  readonly n: number;
  /** dhaf's tact, seconds. */
  readonly interval: number;
  readonly tact: Cursor;
  readonly delaySeconds: number | undefined;
  readonly delay: Cursor;
}

type Service = readonly (string | number)[];

/** One service of dhaf: its entry points in order, its check, and its switch. */
export function importService(from: Cursor, serving: Serving): void {
  const { draft, n } = serving;
  const service: Service = ['services', n];
  draft.put([...service, 'name'], from.at('name').needText('the name of the service'), from.at('name'));
  draft.put([...service, 'domain'], from.at('domain').needText('a domain'), from.at('domain'));
  const checked = importCheck(from.at('health-checker'), serving, service);
  importEntryPoints(from.at('entry-points'), checked, draft, n);
  draft.put([...service, 'vote', 'electorate'], 'live');
  draft.note(
    [...service, 'vote'],
    "dhaf's way: most of those alive decide, so of two machines one may die. registered never lets a minority decide.",
  );
  draft.put([...service, 'select'], { kind: 'active-passive', failbackSeconds: 0 });
  draft.note(
    [...service, 'select'],
    'dhaf returns to the first with the first check that passes; some seconds here spare your users a flapping one.',
  );
  importSwitch(from.at('switcher'), serving, service);
}

function importEntryPoints(points: Cursor, checkPort: number | undefined, draft: Draft, n: number): void {
  const all = points.items();
  if (all.length === 0) points.fault('expected at least one entry point');
  makeRoom(draft, n, all.length);
  draft.put(['services', n, 'source', 'kind'], 'static');
  const names = all.map((point) => point.at('name').needText('a name'));
  all.forEach((point, index) => {
    const name = names[index] ?? '';
    if (name !== '' && !/^[A-Za-z0-9_-]{1,64}$/.test(name))
      point.at('name').fault('expected 1 to 64 of A-Z a-z 0-9 _ -');
    if (names.indexOf(name) < index) point.at('name').fault('expected each name once');
    if (!point.at('ip').isThere) point.at('ip').fault('missing: expected an IP address');
    const target = {
      name,
      address: point.at('ip').address() ?? '',
      ...(checkPort === undefined ? {} : { port: checkPort }),
    };
    draft.put(['services', n, 'source', 'targets', index], target, point);
  });
}

/** The port that it asks, where it asks one. */
function importCheck(from: Cursor, { draft, interval, tact }: Serving, service: Service): number | undefined {
  const type = from.at('type').needText('web, tcp or exec').toLowerCase();
  const check = [...service, 'check'];
  const kinds: Readonly<Record<string, string>> = { web: 'http', tcp: 'tcp', exec: 'exec' };
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind === undefined) {
    if (type !== '')
      draft.left(
        from,
        `"${type}" is an extension of yours, in C#; write it again as a check of kind exec or module (docs/your-own-kinds.md). Until then nobody is checked`,
        true,
      );
    return undefined;
  }
  draft.put([...check, 'kind'], kind, from.at('type'));
  draft.put([...check, 'intervalSeconds'], interval, tact);
  const found =
    kind === 'http'
      ? importWeb(from, draft, check)
      : kind === 'tcp'
        ? importTcp(from, draft, check)
        : importExec(from, draft, check);
  for (const key of ['rise', 'fall']) draft.put([...check, key], 1);
  draft.put([...check, 'holdDown', 'seconds'], 0);
  return found;
}

function importTcp(from: Cursor, draft: Draft, check: Service): number | undefined {
  const found = from.at('port').number(port);
  if (!from.at('port').isThere) from.at('port').fault('missing: expected a port');
  const timeout = from.at('receiveTimeout').isThere ? from.at('receiveTimeout') : from.at('receive-timeout');
  draft.put([...check, 'timeoutSeconds'], timeout.number({ min: 1, max: 3600 }) ?? 5, timeout);
  return found;
}

function importExec(from: Cursor, draft: Draft, check: Service): undefined {
  for (const key of ['init', 'check'])
    draft.put([...check, key], from.at(key).needText('the path of an executable'), from.at(key));
  draft.put([...check, 'timeoutSeconds'], 5);
  draft.differs(
    from,
    'an executable that takes longer than 5 s is ended (timeoutSeconds); relative paths start from the working directory',
  );
}

const timeoutRange: Range = { min: 1, max: 86_400, isWhole: true };

function importWeb(from: Cursor, draft: Draft, check: Service): number {
  const scheme = from.at('schema').word(['http', 'https']) ?? 'http';
  const put = (key: string, value: unknown, cursor: Cursor) => {
    if (value !== undefined && cursor.isThere) draft.put([...check, key], value, cursor);
  };
  put('scheme', scheme, from.at('schema'));
  put('method', from.at('method').word(['GET', 'POST']), from.at('method'));
  const path = from.at('path').text();
  put('path', path === undefined ? undefined : pathOf(path), from.at('path'));
  put('expectedCodes', from.at('expected-codes').text(), from.at('expected-codes'));
  put('expectedBody', from.at('expected-response-body').text(), from.at('expected-response-body'));
  put('forwardDomain', from.at('domain-forwarding').flag(), from.at('domain-forwarding'));
  put('ignoreTlsErrors', from.at('ignore-ssl-errors').flag(), from.at('ignore-ssl-errors'));
  const follows = from.at('follow-redirects');
  put('followRedirects', follows.flag(), follows);
  if (follows.flag() === true) draft.put([...check, 'followToOtherHosts'], true);
  importHeaders(from.at('headers'), draft, check);
  const timeout = from.at('timeout').number(timeoutRange) ?? 5;
  draft.put([...check, 'timeoutSeconds'], within(timeout, 1, 3600), from.at('timeout'));
  const retries = from.at('retries').number({ min: 0, max: 1000, isWhole: true }) ?? 2;
  draft.put([...check, 'retries'], within(retries, 0, 10), from.at('retries'));
  if (retries > 10) draft.differs(from.at('retries'), 'at most 10 tries more');
  draft.differs(from.at('retries'), 'hsdo repeats what timed out, as dhaf describes it; dhaf repeats any failed try');
  return from.at('port').number(port) ?? (scheme === 'https' ? 443 : 80);
}

/** As a request has it: it begins with a slash, and has no letters that must be written as %XX (RFC 3986). */
function pathOf(path: string): string {
  const whole = path.startsWith('/') ? path : `/${path}`;
  return encodeURI(whole.replaceAll(/\p{Cs}/gu, ''))
    .replaceAll('%25', '%')
    .replaceAll('#', '%23');
}

/** What anybody may read; any other header may let somebody in. */
const harmlessHeader =
  /^(accept(-.*)?|cache-control|content-type|host|origin|pragma|referer|user-agent|x-forwarded-.*)$/i;

function importHeaders(headers: Cursor, draft: Draft, check: Service): void {
  if (!headers.isThere) return;
  for (const [name, value] of headers.entries()) {
    const path = [...check, 'headers', name];
    if (!harmlessHeader.test(name))
      draft.secret(path, `HEADER_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`, value);
    else draft.put(path, value.text() ?? '', value);
  }
}

function importSwitch(from: Cursor, { draft, delaySeconds, delay }: Serving, service: Service): void {
  const type = from.at('type').needText('cloudflare, exec or google-cloud').toLowerCase();
  const path = [...service, 'switch'];
  const need = (key: string, to: string) => draft.put([...path, to], from.at(key).needText('a text'), from.at(key));
  if (!['cloudflare', 'exec', 'google-cloud'].includes(type)) {
    if (type !== '')
      draft.left(
        from,
        `"${type}" is an extension of yours, in C#; write it again as a switch of kind exec or module (docs/your-own-kinds.md). Until then nothing is switched`,
        true,
      );
    return;
  }
  draft.put([...path, 'kind'], type, from.at('type'));
  if (type === 'cloudflare') {
    if (from.at('api-token').text() === undefined)
      from.at('api-token').fault('missing: expected a token of Cloudflare');
    draft.secret([...path, 'apiToken'], 'CLOUDFLARE_TOKEN', from.at('api-token'));
    need('zone', 'zone');
  } else if (type === 'exec') {
    need('init', 'init');
    need('switch', 'switch');
    draft.differs(
      from,
      'the first line that init prints says where the outside points, by name or address; relative paths start from the working directory',
    );
  } else {
    need('project', 'project');
    need('metadata-key', 'metadataKey');
    if (from.at('credentials-path').isThere) need('credentials-path', 'credentialsPath');
  }
  if (delaySeconds !== undefined) draft.put([...path, 'delaySeconds'], delaySeconds, delay);
}
