import { readdir, readFile, readlink } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { Config } from '../config/schema.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

type Transport = 'tcp' | 'udp';

/** One place that hsdo listens on. */
export interface Place {
  /** `API`, `exporter`, `DNS over udp`, `agents`. */
  readonly name: string;
  readonly transport: Transport;
  /** An IP address, or a host name, which is not looked at. */
  readonly host: string;
  readonly port: number;
  /** How to choose another one. */
  readonly option: string;
}

/** A socket that somebody listens on, as the kernel's tables have it. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

const defaultApi = '127.0.0.1:8128';

function placeOf(name: string, option: string, listen: string): readonly Place[] {
  if (listen === 'off') return [];
  const [, six, host = '', port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(listen) ?? [];
  return [{ name, option, transport: 'tcp', host: six ?? host, port: Number(port) }];
}

/** All places on which processes of this configuration listen. */
export function placesOf({ api, exporter, dns }: Config): readonly Place[] {
  const dnsPlaces = (dns?.listen ?? []).flatMap((place) =>
    (['udp', 'tcp'] as const).map((transport) => ({
      ...place,
      name: `DNS over ${transport}`,
      option: 'dns.listen',
      transport,
    })),
  );
  return [
    ...placeOf('API', 'api.listen (API_LISTEN)', api.listen ?? defaultApi),
    ...placeOf('exporter', 'exporter.listen (EXPORTER_PORT)', exporter.listen),
    ...placeOf('agents', 'api.agents.listen', api.agents.listen),
    ...dnsPlaces,
  ];
}

/** The place of an agent. */
export const agentPlacesOf = ({ exporter }: { readonly exporter: { readonly listen: string } }): readonly Place[] =>
  placeOf('exporter', 'exporter.listen', exporter.listen);

/** Every place that is wanted: is it free, held by hsdo, or by somebody else; and may this user take it. */
export function portExaminations(places: readonly Place[]): readonly Examination[] {
  return places.map((place) => ({
    about: aboutOf(place),
    remedy: `choose another place: ${place.option}`,
    look: async () => [await placeFinding(place)],
  }));
}

const aboutOf = ({ name, host, port }: Place) => `${name} at ${host.includes(':') ? `[${host}]` : host}:${port}`;

async function placeFinding(place: Place): Promise<Finding> {
  const about = aboutOf(place);
  const listeners = await listenersOf(place.transport);
  if (listeners === undefined) {
    return warning(about, 'this system has no /proc/net: who listens cannot be told', 'look with netstat or lsof');
  }
  const holder = holderOf(place, listeners);
  if (holder !== undefined) return holderFinding(place, await processOf(holder.inode));
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  if (!isOwn(place.host, own)) {
    return fault(about, `${place.host} is no address of this machine`, `name one of its own: ${place.option}`);
  }
  if (place.port !== 0 && place.port < (await firstFreePort()) && !(await mayBindAll())) {
    const remedy = 'AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, as in conf/systemd, or a higher port';
    return fault(about, `free, but ports below ${await firstFreePort()} are for root`, remedy);
  }
  return ok(about, 'free');
}

/** What it means that somebody listens there already. */
export function holderFinding(place: Place, holder: Holder | undefined): Finding {
  const about = aboutOf(place);
  const remedy = `stop it, or choose another place: ${place.option}`;
  if (holder === undefined) {
    const says = 'taken by a process that this user may not look at; maybe hsdo itself';
    return warning(about, says, `run this as root to see by whom; ${remedy}`);
  }
  if (holder.isHsdo) return ok(about, `hsdo listens there already (pid ${holder.pid})`);
  return fault(about, `taken by ${holder.command} (pid ${holder.pid})`, remedy);
}

/** The one that keeps others from this place: same port, and the same address or all addresses on either side. */
export function holderOf({ host, port }: Place, listeners: readonly Listener[]): Listener | undefined {
  const isAll = (address: string) => address === '0.0.0.0' || address === '::';
  return listeners.find(
    (one) => port !== 0 && one.port === port && (one.address === host || isAll(one.address) || isAll(host)),
  );
}

function isOwn(host: string, own: readonly string[]): boolean {
  if (isIP(host) === 0 || host === '0.0.0.0' || host === '::' || host.startsWith('127.')) return true;
  const wanted = ipaddr.parse(host).toString();
  return own.some((address) => ipaddr.parse(address.split('%')[0] ?? '').toString() === wanted);
}

/** From this port on everybody may listen (ip(7), ip_unprivileged_port_start). */
async function firstFreePort(): Promise<number> {
  const text = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024');
  return Number(text.trim());
}

/** CAP_NET_BIND_SERVICE is bit 10 of the effective set (capabilities(7)). */
async function mayBindAll(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return (BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`) & (1n << 10n)) !== 0n;
}

async function listenersOf(transport: Transport): Promise<readonly Listener[] | undefined> {
  const tables = await Promise.all(
    ['', '6'].map((family) => readFile(`/proc/net/${transport}${family}`, 'utf8').catch(() => undefined)),
  );
  if (tables.every((table) => table === undefined)) return undefined;
  return tables.flatMap((table) => (table === undefined ? [] : parseListeners(table, transport)));
}

/** Listening sockets of TCP, bound ones of UDP (proc(5): /proc/net/tcp; state 0A is LISTEN, 07 an unconnected UDP socket). */
export function parseListeners(table: string, transport: Transport): readonly Listener[] {
  const wanted = transport === 'tcp' ? '0A' : '07';
  return table
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const cells = line.trim().split(/\s+/);
      const [local = '', state, inode] = [cells[1], cells[3], cells[9]];
      const [address = '', port = ''] = local.split(':');
      if (state !== wanted || inode === undefined) return [];
      return [{ address: addressOf(address), port: Number.parseInt(port, 16), inode }];
    });
}

/** The kernel prints words of 32 bits as the machine has them in memory: the bytes of each stand the other way round. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  const address = ipaddr.fromByteArray(bytes);
  return address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}

/** Who holds a socket. */
export interface Holder {
  readonly pid: number;
  /** Its command line, cut. */
  readonly command: string;
  readonly isHsdo: boolean;
}

/** The process that has a socket open (proc(5): /proc/PID/fd); `undefined` where this user may not look. */
async function processOf(inode: string): Promise<Holder | undefined> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
    if (!links.includes(`socket:[${inode}]`)) continue;
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    return { pid: Number(pid), command: commandOf(words), isHsdo: isHsdo(words) };
  }
  return undefined;
}

/** The program and nothing else: arguments may hold secrets. */
const commandOf = (words: readonly string[]) => words[0]?.replace(/[^\x20-\x7e]/g, '?').slice(0, 60) || 'somebody';

/** A role of hsdo by its command line, from the package, the build or the sources. */
export function isHsdo(words: readonly string[]): boolean {
  const isOurs = words.some((word) => /(^|\/)(hsdo|(dist|src)\/main\.[jt]s)$/.test(word));
  return isOurs && words.some((word) => ['--server', '--client', '--dns', '--agent'].includes(word));
}
