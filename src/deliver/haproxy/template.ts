import Mustache from 'mustache';
import { HsdoError } from '../../model/error.ts';
import { type HaproxyConfig, haproxyName, parseSocket } from './config.ts';

export interface TemplateInput {
  readonly backends: HaproxyConfig['backends'];
  /** Slots of each server-template: the size of the service's list. */
  readonly size: number;
  /** The stats socket, as in `sockets` of the configuration. */
  readonly socket: string;
  readonly stateFile?: string | undefined;
  /** What the frontend listens on; `null` leaves the frontend out. Default `*:80`. */
  readonly bind?: string | null | undefined;
  /** HAProxy's `balance` and its arguments. Default `roundrobin`. */
  readonly balance?: string | undefined;
  /** Path for HTTP health checks; without one a check is a TCP connect. */
  readonly checkPath?: string | undefined;
  /** Default `inter 2s fastinter 500ms rise 2 fall 3`. */
  readonly checkTiming?: string | undefined;
  readonly hardStopAfter?: string | undefined;
  /** System account that HAProxy changes to after its start; needs a start as root. */
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  /** What `haproxy -v` printed; without it only words that every supported version knows are used. */
  readonly haproxyVersion?: string | undefined;
}

/** Everything that `haproxy.cfg.template` may name; the names in capitals are those of HSDO. */
export type TemplateView = Readonly<Record<string, unknown>>;

/** Major and minor number from the text of `haproxy -v`, such as `HAProxy version 2.6.12-1`; `undefined` if there is none. */
export function parseVersion(text: string): { readonly major: number; readonly minor: number } | undefined {
  const found = /\bversion (\d{1,3})\.(\d{1,3})/i.exec(text) ?? /^\s*(\d{1,3})\.(\d{1,3})/.exec(text);
  return found ? { major: Number(found[1]), minor: Number(found[2]) } : undefined;
}

function isAtLeast(text: string | undefined, major: number, minor: number): boolean {
  const version = parseVersion(text ?? '');
  return version !== undefined && (version.major > major || (version.major === major && version.minor >= minor));
}

/** One line of haproxy.cfg takes what stands in it literally: control characters and comments would change others. */
function oneWord(what: string, value: string): string {
  if (/^[^\p{Cc}\s#'"\\]+$/u.test(value)) return value;
  throw new HsdoError(
    'config',
    `Cannot render haproxy.cfg: ${what} ${JSON.stringify(value)} is not one plain word without white space, quotes, "#" or "\\"`,
  );
}

function words(what: string, value: string): string {
  return value
    .split(' ')
    .map((word) => oneWord(what, word))
    .join(' ');
}

function socketLine(text: string): { socket: string; isUnixSocket: boolean } {
  const address = parseSocket(text);
  if (!address)
    throw new HsdoError('config', `Cannot render haproxy.cfg: "${text}" is no socket; expected a path or host:port`);
  if (address.kind === 'unix') return { socket: oneWord('socket', address.path), isUnixSocket: true };
  return {
    socket: `${address.host.includes(':') ? 'ipv6' : 'ipv4'}@${address.host}:${address.port}`,
    isUnixSocket: false,
  };
}

/**
 * The primary backend is the first that takes primary targets, else the first one; the fallback backend is the next that
 * takes other targets, where there is a primary to fall back from.
 */
function rolesOf(backends: TemplateInput['backends']) {
  const primary = backends.find((backend) => backend.accepts === 'primary') ?? backends[0];
  const hasPrimary = primary?.accepts === 'primary';
  return { primary, fallback: hasPrimary ? backends.find((backend) => backend.accepts !== 'primary') : undefined };
}

function flatNames(backend: TemplateInput['backends'][number], size: number) {
  return {
    HAPROXY_BACKEND_NAME: backend.name,
    HAPROXY_BACKEND_BASE_NAME: backend.baseName,
    HAPROXY_BACKEND_SERVER_PORT: backend.port ?? backend.defaultPort,
    HAPROXY_BACKEND_SERVERS_LIST_SIZE: size,
  };
}

/**
 * Words that only newer versions know. `hash-key addr-port` (3.0) ties a target's share of a hash to its address, so it
 * is the same on every HAProxy that has it. `init-state fully-down` (3.1) is HAProxy's own gate for new targets; with a
 * state file it would also hold back every restored target at a reload, so there hsdo's commands do the gating alone.
 */
function newerWords(input: TemplateInput, isHash: boolean) {
  return {
    hashKey: isHash && isAtLeast(input.haproxyVersion, 3, 0) ? 'addr-port' : undefined,
    initState: input.stateFile === undefined && isAtLeast(input.haproxyVersion, 3, 1) ? 'fully-down' : undefined,
  };
}

/**
 * What the delivered template needs, from the configuration of a service.
 *
 * @throws HsdoError `config` when a value could not stand in one line of haproxy.cfg.
 */
export function templateView(input: TemplateInput): TemplateView {
  const { primary, fallback } = rolesOf(input.backends);
  if (!primary) throw new HsdoError('config', 'Cannot render haproxy.cfg: there is no backend; expected at least one');
  for (const { name, baseName } of input.backends) {
    for (const value of [name, baseName]) {
      if (!haproxyName.test(value))
        throw new HsdoError('config', `Cannot render haproxy.cfg: "${value}" is no HAProxy name`);
    }
  }
  const balance = words('balance', input.balance ?? 'roundrobin');
  const isHash = /^(uri|url_param|hdr|hash|source|rdp-cookie)\b/.test(balance);
  return {
    ...flatNames(primary, input.size),
    HAPROXY_FALLBACK_BACKEND_NAME: fallback?.name,
    HAPROXY_FALLBACK_BACKEND_BASE_NAME: fallback?.baseName,
    HAPROXY_SOCKET_PATH: input.socket,
    ...socketLine(input.socket),
    stateFile: input.stateFile === undefined ? undefined : oneWord('state file', input.stateFile),
    frontend: input.bind !== null,
    bind: words('bind', input.bind ?? '*:80'),
    balance,
    isHash,
    ...newerWords(input, isHash),
    checkPath: input.checkPath === undefined ? undefined : oneWord('check path', input.checkPath),
    checkTiming: words('check timing', input.checkTiming ?? 'inter 2s fastinter 500ms rise 2 fall 3'),
    hardStopAfter: oneWord('hard-stop-after', input.hardStopAfter ?? '5m'),
    user: input.user === undefined ? undefined : oneWord('user', input.user),
    group: oneWord('group', input.group ?? input.user ?? 'haproxy'),
    backends: input.backends.map((backend) => flatNames(backend, input.size)),
  };
}

/**
 * Fills a template in. Nothing is escaped: haproxy.cfg is not HTML.
 *
 * @throws HsdoError `config` when the template is broken.
 */
export function renderTemplate(template: string, view: TemplateView): string {
  try {
    return Mustache.render(template, view, {}, { escape: String });
  } catch (cause) {
    throw new HsdoError('config', 'Cannot render the haproxy.cfg template: expected a well-formed mustache template', {
      cause,
    });
  }
}
