import { HsdoError } from '../../model/error.ts';
import { type Cells, createCells } from './cells.ts';

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

/** Where each column stands, by the header. */
type Positions = Readonly<Record<Column, number>>;
type Canonical = (address: string) => string | undefined;

/** What is read, and how. */
interface Question {
  readonly backend: string;
  readonly baseName: string;
  readonly canonical: Canonical;
}

/** A server while it is read. */
type Draft = { -readonly [Key in keyof ObservedServer]: ObservedServer[Key] };

function wholeNumber(cells: Cells, at: Positions, field: Column, max: number): number {
  const value = cells.number(at[field]);
  if (value >= 0 && value <= max) return value;
  const text = cells.text(at[field]).slice(0, 40);
  throw new RangeError(`${field} is "${text}"; expected a number from 0 to ${max}`);
}

function readServer(cells: Cells, at: Positions, index: number, question: Question): ObservedServer {
  const admin = wholeNumber(cells, at, 'srv_admin_state', knownAdminBits);
  const address = question.canonical(cells.text(at.srv_addr));
  const server: Draft = {
    index,
    // Not the cell itself: a piece of the reply would keep all of it in memory.
    name: `${question.baseName}${index}`,
    id: wholeNumber(cells, at, 'srv_id', 0x7fffffff),
    port: wholeNumber(cells, at, 'srv_port', 65_535),
    admin: adminOf(admin),
    isUp: wholeNumber(cells, at, 'srv_op_state', 3) !== 0,
    weight: wholeNumber(cells, at, 'srv_uweight', 256),
    initialWeight: wholeNumber(cells, at, 'srv_iweight', 256),
    hasChecks: (wholeNumber(cells, at, 'srv_check_state', 0xffff) & runningBits) === runningBits,
    hasAgent: (wholeNumber(cells, at, 'srv_agent_state', 0xffff) & configuredBit) !== 0,
    hasAddress: (admin & noAddressBit) === 0,
  };
  if (address !== undefined) server.address = address;
  return server;
}

/** What one line means: a server of the template, one that cannot be read, or only the id of another server. */
interface Meaning {
  readonly id?: number;
  readonly server?: ObservedServer;
  readonly unreadable?: UnreadableServer;
}

function readLine(cells: Cells, at: Positions, question: Question): Meaning {
  if (!cells.is(at.be_name, question.backend)) return {};
  const id = cells.number(at.srv_id);
  const name = cells.text(at.srv_name);
  const index = indexOf(name, question.baseName);
  if (index === undefined) return { id };
  try {
    return { id, server: readServer(cells, at, index, question) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { id, unreadable: { index, name: `${question.baseName}${index}`, reason: error.message } };
  }
}

function unusable(backend: string, why: string): HsdoError {
  return new HsdoError('rejected', `Cannot read the servers of backend "${backend}": ${why}`);
}

function readHeader(backend: string, lines: readonly string[]): { at: Positions; timeColumn: number } {
  if (lines[0]?.trim() !== '1')
    throw unusable(backend, `HAProxy said "${(lines[0] ?? '').slice(0, 80)}"; expected format version 1`);
  const names = (lines[1] ?? '').replace(/^#\s*/, '').trim().split(' ');
  const absent = columns.filter((name) => !names.includes(name));
  if (absent.length > 0) throw unusable(backend, `the columns ${absent.join(', ')} are missing`);
  const at = Object.fromEntries(columns.map((name) => [name, names.indexOf(name)])) as Record<Column, number>;
  return { at, timeColumn: names.indexOf('srv_time_since_last_change') };
}

/** Where a cell begins; -1 for a line that ends before it. */
function cellStart(line: string, column: number): number {
  let start = 0;
  for (let passed = 0; passed < column; passed += 1) {
    start = line.indexOf(' ', start) + 1;
    if (start === 0) return -1;
  }
  return start;
}

function afterCell(line: string, start: number): string {
  const end = line.indexOf(' ', start);
  return end < 0 ? '' : line.slice(end);
}

/** Whether two lines differ in the time alone, which counts seconds and means nothing to hsdo. */
function isSameLine(line: string, before: string | undefined, timeColumn: number): boolean {
  if (line === before) return true;
  const start = before === undefined || timeColumn < 0 ? -1 : cellStart(line, timeColumn);
  if (before === undefined || start < 0) return false;
  return line.slice(0, start) === before.slice(0, start) && afterCell(line, start) === afterCell(before, start);
}

/** A reply that was read, from which the next one can be told quickly. */
export interface Reading {
  readonly observation: Observation;
  /** What was asked, and the columns of the answer; lines compare only where this is the same. */
  readonly format: string;
  readonly lines: readonly string[];
  /** Of each line. */
  readonly meanings: readonly Meaning[];
}

function observationOf(meanings: readonly Meaning[]): Observation {
  const servers = new Map<number, ObservedServer>();
  const unreadable: UnreadableServer[] = [];
  const ids = new Set<number>();
  for (const meaning of meanings) {
    if (meaning.id !== undefined) ids.add(meaning.id);
    if (meaning.server) servers.set(meaning.server.index, meaning.server);
    if (meaning.unreadable) unreadable.push(meaning.unreadable);
  }
  return { servers, unreadable, ids };
}

/**
 * Reads the reply to `show servers state <backend>`; servers are found by base name and exact decimal number.
 * `canonical` gives the one spelling of an IP address, or `undefined` for what is none. What stands as it stood in
 * `before` is not read again: the same line gives the same server object, and where nothing but the times differ the
 * answer is `before` itself.
 *
 * @throws HsdoError `rejected` when the reply is not such a list, such as for a backend that does not exist.
 */
export function readServersState(text: string, question: Question, before?: Reading): Reading {
  const lines = text.trim().split('\n');
  const format = `${question.backend} ${question.baseName} ${lines[1] ?? ''}`;
  const { at, timeColumn } = readHeader(question.backend, lines);
  const width = Math.max(...Object.values(at)) + 1;
  const known = before?.format === format ? before : undefined;
  const cells = createCells();
  let isSame = known?.lines.length === lines.length;
  const meanings = lines.slice(2).map((line, position) => {
    const meaning = known?.meanings[position];
    if (meaning && isSameLine(line, known?.lines[position + 2], timeColumn)) return meaning;
    isSame = false;
    cells.take(line, width);
    return readLine(cells, at, question);
  });
  return known && isSame ? known : { observation: observationOf(meanings), format, lines, meanings };
}

/** `readServersState` for a single look. */
export function parseServersState(text: string, backend: string, baseName: string, canonical: Canonical): Observation {
  return readServersState(text, { backend, baseName, canonical }).observation;
}
