import { isIP } from 'node:net';
import { HsdoError } from '../model/error.ts';
import type { Target } from '../model/target.ts';
import { type HttpConfig, isHost } from './http-schema.ts';

/** One request: what it is named, and where it goes. */
export interface Hop {
  readonly method: HttpConfig['method'];
  /** Scheme, host and path as the request names them; the host is that of the Host header. */
  readonly url: URL;
  /** The request target (RFC 9112 section 3.2), as it was configured. */
  readonly path: string;
  readonly host: string;
  /** Address or name to connect to. */
  readonly connectHost: string;
  readonly port: number;
  /** For SNI and the certificate; absent where the Host is an address, then the certificate must be for `connectHost`. */
  readonly serverName: string | undefined;
  /** Whether it gets the configured headers and body, which may hold credentials. */
  readonly isTrusted: boolean;
}

/** Where a redirect leads, or why it is not followed. */
export type NextHop = { readonly hop: Hop } | { readonly refusal: string };

export interface Routing {
  /** The request that the target is asked with. */
  first(target: Target): Hop;
  /**
   * The request that an answer with `location` asks for (RFC 9110 section 15.4). "The same host" is the name that the
   * first request was for, or the address that it went to. A redirect to the same host is sent to the target itself: to
   * the checked port where scheme, name and port are those of the first request, else to the port that it names.
   */
  next(first: Hop, from: Hop, status: number, location: string): NextHop;
}

const withoutBrackets = (hostname: string) => hostname.replace(/^\[(.*)\]$/, '$1');

const portOf = (url: URL) => (url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port));

/** A name that may be sent as SNI: without the dot at its end (RFC 6066 section 3). */
function nameOf(url: URL): string | undefined {
  const name = withoutBrackets(url.hostname);
  return isIP(name) === 0 ? name.replace(/\.$/, '') : undefined;
}

/** The Host header of the configuration, and the host to send where a target has no URL of its own. */
function hostsOf(config: HttpConfig, domain: string | undefined) {
  const header = Object.entries(config.headers)
    .find(([name]) => name.toLowerCase() === 'host')?.[1]
    .reveal();
  if (header !== undefined || !config.forwardDomain || domain === undefined) return { header, host: header };
  if (isHost(domain)) return { header, host: domain };
  throw new HsdoError('config', `Cannot send the domain ${JSON.stringify(domain)} as Host, expected a host name`);
}

/**
 * How requests of one check find their way. A target's own URL (HAnoProxY's) names where to connect too: the target's
 * address is then only what is answered; its host goes to Host and SNI unless headers and serverName say otherwise.
 *
 * @throws HsdoError `config` where the domain is to be sent as Host and cannot be one.
 */
export function createRouting(config: HttpConfig, domain: string | undefined): Routing {
  const { header, host } = hostsOf(config, domain);
  const own = new Map(Object.entries(config.targets));

  const firstHop = (endpoint: URL, path: string, named: string): Hop => {
    const url = new URL(`${endpoint.protocol}//${named}${path}`);
    const [connectHost, port] = [withoutBrackets(endpoint.hostname), portOf(endpoint)];
    const serverName = config.serverName ?? nameOf(url);
    return { method: config.method, url, path, host: named, connectHost, port, serverName, isTrusted: true };
  };
  return {
    first(target) {
      const options = own.get(target.id) ?? own.get(target.name) ?? own.get(target.address);
      if (options?.url !== undefined) {
        const url = new URL(options.url);
        return firstHop(url, `${url.pathname}${url.search}`, header ?? url.host);
      }
      const port = options?.port ?? config.port ?? target.port ?? (config.scheme === 'https' ? 443 : 80);
      const address = isIP(target.address) === 6 ? `[${target.address}]` : target.address;
      const endpoint = new URL(`${config.scheme}://${address}:${port}`);
      return firstHop(endpoint, options?.path ?? config.path, host ?? endpoint.host);
    },
    next: (first, from, status, location) => nextHop(config, first, from, status, location),
  };
}

function nextHop(config: HttpConfig, first: Hop, from: Hop, status: number, location: string): NextHop {
  if (!URL.canParse(location, from.url.href)) return { refusal: 'to something that is no URL' };
  const url = new URL(location, from.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { refusal: `to the scheme ${url.protocol}` };
  // As .NET has it, and so dhaf: what was asked over TLS is not answered in clear.
  if (from.url.protocol === 'https:' && url.protocol === 'http:') return { refusal: 'from https to http' };
  const hostname = withoutBrackets(url.hostname);
  const isSameHost = url.hostname === first.url.hostname || hostname === first.connectHost;
  if (!isSameHost && !config.followToOtherHosts) return { refusal: `to another host, ${url.host}` };

  const isFirst = url.origin === first.url.origin;
  const port = isFirst ? first.port : portOf(url);
  // A server on another port of the host may be another one, and must not learn the credentials of this.
  const isUpgrade = from.url.protocol === 'http:' && url.protocol === 'https:';
  const isTrusted =
    from.isTrusted && isSameHost && (isUpgrade || (url.protocol === from.url.protocol && port === from.port));
  const becomesGet = status === 303 ? from.method !== 'HEAD' : status <= 302 && from.method === 'POST';
  const method = becomesGet ? 'GET' : from.method;
  if (method === 'POST' && config.body !== undefined && !isTrusted)
    return { refusal: `that would carry the body to another server, ${url.host}` };
  return {
    hop: {
      method,
      url,
      path: `${url.pathname}${url.search}`,
      host: isFirst ? first.host : url.host,
      connectHost: isSameHost ? first.connectHost : hostname,
      port,
      serverName: (isSameHost ? config.serverName : undefined) ?? nameOf(url),
      isTrusted,
    },
  };
}
