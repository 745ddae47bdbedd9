import { join } from 'node:path';
import { stringify } from 'yaml';
import { HsdoError } from '../model/error.ts';

/** Slots in the list. */
export const size = 8;
/** Weight of a target at the end of its ramp. */
export const fullWeight = 10;
export const drainSeconds = 3;
/** RFC 6761 keeps `test` for such things: nobody else's name is ever hidden by ours. */
const domain = 'demo.test';
/** Under which DNS has the service. */
export const serviceName = `web.${domain}`;
/** As in the examples of the configuration. */
export const usualDnsPort = 8053;

/** One place of the network. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where everything of one demo lies and listens. */
export interface DemoPlaces {
  readonly folder: string;
  readonly targetsPath: string;
  readonly configPath: string;
  readonly haproxyConfigPath: string;
  readonly socketPath: string;
  readonly masterPath: string;
  readonly apiListen: string;
  readonly apiUrl: string;
  /** What HAProxy's frontend listens on. */
  readonly bind: string;
  readonly url: string;
  /** HAProxy's own page. */
  readonly pageBind: string;
  readonly pageUrl: string;
  /** Where DNS is answered, over UDP and TCP. */
  readonly dns: Endpoint;
}

export function placesIn(
  folder: string,
  ports: { readonly api: number; readonly frontend: number; readonly page: number; readonly dns: number },
): DemoPlaces {
  const at = (port: number) => `127.0.0.1:${port}`;
  return {
    folder,
    targetsPath: join(folder, 'targets.yaml'),
    configPath: join(folder, 'hsdo.yaml'),
    haproxyConfigPath: join(folder, 'haproxy.cfg'),
    socketPath: join(folder, 'admin.sock'),
    masterPath: join(folder, 'master.sock'),
    apiListen: at(ports.api),
    apiUrl: `http://${at(ports.api)}`,
    bind: at(ports.frontend),
    url: `http://${at(ports.frontend)}/`,
    pageBind: at(ports.page),
    pageUrl: `http://${at(ports.page)}/`,
    dns: { host: '127.0.0.1', port: ports.dns },
  };
}

/** The configuration that both processes read: that of production, with times short enough to watch. */
export function configText(places: DemoPlaces): string {
  return stringify({
    services: [
      {
        name: 'web',
        source: { kind: 'file', path: places.targetsPath },
        size,
        weight: { min: 1, max: fullWeight, increase: 2, intervalSeconds: 1 },
        // The source is read five times as often as by default, so it takes five times as many reads to be believed.
        guard: { confirmReads: 150 },
        drainSeconds,
        // What HAProxy finds out itself it tells nobody; DNS goes by what hsdo finds out.
        check: { kind: 'http', path: '/health', intervalSeconds: 0.3, timeoutSeconds: 2, holdDown: { seconds: 0 } },
        haproxy: {
          sockets: [places.socketPath],
          stateFile: join(places.folder, 'servers.state'),
          backends: [{ name: 'web', baseName: 'web' }],
        },
      },
    ],
    dns: { listen: [`${places.dns.host}:${places.dns.port}`], domain, ttlSeconds: 1, negativeTtlSeconds: 1 },
    cluster: { leaseTtlSeconds: 2 },
    intervalSeconds: 0.2,
    stateDirectory: join(places.folder, 'state'),
    // Any free port: two processes run side by side.
    exporter: { listen: '127.0.0.1:0' },
    log: { format: 'text' },
  });
}

/** What a person types to see who serves, by addresses. */
export const digCommand = ({ dns }: DemoPlaces) => `dig +short @${dns.host} -p ${dns.port} ${serviceName}`;

/** Arguments of `hsdo haproxy-config` for the demo's HAProxy. */
export function haproxyConfigArgs(places: DemoPlaces): readonly string[] {
  const timing = 'inter 300ms fastinter 100ms rise 2 fall 2';
  return ['haproxy-config', '--bind', places.bind, '--check-path', '/health', '--check-timing', timing];
}

/**
 * The rendered haproxy.cfg with two things that belong to the demo: its requests are all GETs and may be repeated when a
 * target dies before it answered (`retry-on`, configuration manual 4.2), and HAProxy's own page shows the slots.
 *
 * @throws HsdoError `config` when the rendered text has no line to change.
 */
export function haproxyConfigText(rendered: string, places: DemoPlaces): string {
  const line = /^( +)retry-on conn-failure$/m;
  if (!line.test(rendered))
    throw new HsdoError('config', 'Cannot prepare haproxy.cfg: expected the line "retry-on conn-failure" in it');
  const page = [
    'frontend page',
    `    bind ${places.pageBind}`,
    '    stats enable',
    '    stats uri /',
    '    stats refresh 1s',
  ];
  return `${rendered.replace(line, '$1retry-on conn-failure empty-response')}\n${page.join('\n')}\n`;
}
