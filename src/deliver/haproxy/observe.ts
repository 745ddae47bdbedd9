import { HsdoError } from '../../model/error.ts';

/** What an administrator sees: `maint` takes nothing, `drain` finishes what it has. */
export type AdminState = 'ready' | 'drain' | 'maint';

/** One server of a template as HAProxy reports it. */
export interface ObservedServer {
  /** The number in the server-template. */
  readonly index: number;
  readonly name: string;
  /** HAProxy's own number of the server, the key of its share of a hash ring. */
  readonly id: number;
  /** Canonical; absent when the server has none or one that is no IP address. */
  readonly address?: string;
  readonly port: number;
  readonly admin: AdminState;
  /** Takes traffic if it is ready: running, starting (slowstart) or stopping; always true without health checks. */
  readonly isUp: boolean;
  /** The weight set now, 0 to 256. */
  readonly weight: number;
  /** The weight in haproxy.cfg; a server-state file must repeat it. */
  readonly initialWeight: number;
  /** Health checks are configured and not disabled at run time. */
  readonly hasChecks: boolean;
  /** An agent-check sets weight and state, hsdo leaves both to it. */
  readonly hasAgent: boolean;
  /** `false` while HAProxy has no address for it (admin state 0x20): it accepts none at run time either. */
  readonly hasAddress: boolean;
}

/** A server of the template whose line says something that this version of hsdo does not know. */
export interface UnreadableServer {
  readonly index: number;
  readonly name: string;
  readonly reason: string;
}

export interface Observation {
  /** By index. */
  readonly servers: ReadonlyMap<number, ObservedServer>;
  readonly unreadable: readonly UnreadableServer[];
  /** Ids of every server of the backend, ours or not. */
  readonly ids: ReadonlySet<number>;
}

/** The columns that hsdo reads; HAProxy may add others and move them (management guide, "show servers state"). */
const columns = [
  'be_name',
  'srv_id',
  'srv_name',
  'srv_addr',
  'srv_op_state',
  'srv_admin_state',
  'srv_uweight',
  'srv_iweight',
  'srv_check_state',
  'srv_agent_state',
  'srv_port',
] as const;
type Column = (typeof columns)[number];

/** Bits of srv_admin_state. 0x04 (disabled in haproxy.cfg) stays set after `ready` and then means nothing. */
const maintBits = 0x01 | 0x02;
const drainBits = 0x08 | 0x10;
const noAddressBit = 0x20;
const knownAdminBits = 0x7f;
/** Bits of srv_check_state and srv_agent_state: configured (0x02), enabled (0x04). What is counted down without running checks stays so. */
const configuredBit = 0x02;
const runningBits = 0x02 | 0x04;

function adminOf(bits: number): AdminState {
  if ((bits & (maintBits | noAddressBit)) !== 0) return 'maint';
  return (bits & drainBits) === 0 ? 'ready' : 'drain';
}

/** The number after `baseName`, exactly as a server-template makes it; `undefined` for every other name. */
export function indexOf(serverName: string, baseName: string): number | undefined {
  if (!serverName.startsWith(baseName)) return undefined;
  const digits = serverName.slice(baseName.length);
  return /^[1-9]\d{0,6}$/.test(digits) ? Number(digits) : undefined;
}

function wholeNumber(field: Column, text: string, max: number): number {
  const value = Number(text);
  if (value >= 0 && value <= max && String(value) === text) return value;
  throw new RangeError(`${field} is "${text.slice(0, 40)}"; expected a number from 0 to ${max}`);
}

/** Where each column stands, by the header. */
type Positions = Readonly<Record<Column, number>>;
type Canonical = (address: string) => string | undefined;

function readServer(cells: readonly string[], at: Positions, index: number, canonical: Canonical): ObservedServer {
  const number = (field: Column, max: number) => wholeNumber(field, cells[at[field]] ?? '', max);
  const admin = number('srv_admin_state', knownAdminBits);
  const address = canonical(cells[at.srv_addr] ?? '');
  return {
    index,
    name: cells[at.srv_name] ?? '',
    id: number('srv_id', 0x7fffffff),
    ...(address === undefined ? undefined : { address }),
    port: number('srv_port', 65_535),
    admin: adminOf(admin),
    isUp: number('srv_op_state', 3) !== 0,
    weight: number('srv_uweight', 256),
    initialWeight: number('srv_iweight', 256),
    hasChecks: (number('srv_check_state', 0xffff) & runningBits) === runningBits,
    hasAgent: (number('srv_agent_state', 0xffff) & configuredBit) !== 0,
    hasAddress: (admin & noAddressBit) === 0,
  };
}

function unusable(backend: string, why: string): HsdoError {
  return new HsdoError('rejected', `Cannot read the servers of backend "${backend}": ${why}`);
}

function readHeader(backend: string, lines: readonly string[]): Positions {
  if (lines[0]?.trim() !== '1')
    throw unusable(backend, `HAProxy said "${(lines[0] ?? '').slice(0, 80)}"; expected format version 1`);
  const names = (lines[1] ?? '').replace(/^#\s*/, '').trim().split(' ');
  const absent = columns.filter((name) => !names.includes(name));
  if (absent.length > 0) throw unusable(backend, `the columns ${absent.join(', ')} are missing`);
  return Object.fromEntries(columns.map((name) => [name, names.indexOf(name)])) as Record<Column, number>;
}

/**
 * Parses the reply to `show servers state <backend>`; servers are found by base name and exact decimal number.
 * `canonical` gives the one spelling of an IP address, or `undefined` for what is none.
 *
 * @throws HsdoError `rejected` when the reply is not such a list, such as for a backend that does not exist.
 */
export function parseServersState(text: string, backend: string, baseName: string, canonical: Canonical): Observation {
  const lines = text.trimStart().split('\n');
  const at = readHeader(backend, lines);
  const servers = new Map<number, ObservedServer>();
  const unreadable: UnreadableServer[] = [];
  const ids = new Set<number>();
  const width = Math.max(...Object.values(at)) + 1;
  for (const line of lines.slice(2)) {
    const cells = line.split(' ', width);
    if (cells[at.be_name] !== backend) continue;
    ids.add(Number(cells[at.srv_id]));
    const name = cells[at.srv_name] ?? '';
    const index = indexOf(name, baseName);
    if (index === undefined) continue;
    try {
      servers.set(index, readServer(cells, at, index, canonical));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      unreadable.push({ index, name, reason: error.message });
    }
  }
  return { servers, unreadable, ids };
}

/** Which HAProxy process answers; for logs, status and metrics only. */
export interface ProcessInfo {
  readonly pid: number;
  /** Wall-clock milliseconds. */
  readonly startedAt: number;
  readonly version: string;
  /** An old worker that finishes its connections after a reload. */
  readonly isStopping: boolean;
}

/** Parses the reply to `show info`; `undefined` when it does not look like one. */
export function parseInfo(text: string): ProcessInfo | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const [pid, started, version] = [Number(field('Pid')), Number(field('Start_time_sec')), field('Version')];
  if (!Number.isInteger(pid) || !Number.isInteger(started) || version === undefined) return undefined;
  return { pid, startedAt: started * 1000, version: version.slice(0, 80), isStopping: field('Stopping') === '1' };
}
