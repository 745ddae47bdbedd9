import type { Clock } from '../../../time/clock.ts';
import { optBytes } from '../answer/edns.ts';
import { headerBytes, responseCodes } from '../answer/wire.ts';
import type { Endpoint } from '../config.ts';
import { endpointText } from '../transport/place.ts';
import type { Chance } from './chance.ts';
import { createDueList, type Due } from './due-list.ts';
import { compareReply, flags, type Question } from './match.ts';
import type { OpenPort } from './port-socket.ts';
import { addOpt } from './render.ts';
import { type Reply, readReply } from './reply.ts';
import { createSourcePorts, type Errand } from './source-ports.ts';
import { createHabits } from './upstream-habits.ts';
import { createHealth, type Health } from './upstream-health.ts';
import { askByTcp, type TcpQuestion } from './upstream-tcp.ts';

/** What became of one packet to a server; `mismatch` is told for every packet that came and answered nothing. */
export type UpstreamOutcome = 'answer' | 'timeout' | 'mismatch' | 'error';

/** One server that answers for others. */
export interface Upstream {
  /** `127.0.0.1:53` or `[::1]:53`. */
  readonly server: string;
  readonly health: Health;
  /**
   * Asks it; `done` gets its reply, whatever code that has, or `undefined` when there is none in time. Later, not at once.
   * `now` is an instant of the monotonic clock that the caller has read already.
   */
  ask(question: Question, now: number, done: (reply: Reply | undefined) => void): void;
  /** Questions that wait for it. */
  waiting(): number;
  close(): void;
}

/** A question on its way to the server. One object goes on through all ways of asking that it takes. */
interface Attempt extends Due, Errand {
  readonly question: Question;
  readonly done: (reply: Reply | undefined) => void;
  sentAt: number;
  hasEdns: boolean;
  isMixed: boolean;
  /** What this attempt had to do without. */
  didComplain: boolean;
  didRespell: boolean;
  connection: TcpQuestion | undefined;
}

interface UpstreamOptions {
  readonly endpoint: Endpoint;
  readonly openPort: OpenPort;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly timeoutMs: number;
  onOutcome(outcome: UpstreamOutcome, seconds: number): void;
  onHealth(): void;
}

const withoutEdns: Partial<Attempt> = { hasEdns: false, didComplain: true };
const asSpelled: Partial<Attempt> = { isMixed: false, didRespell: true };
/** Connections to one server at one moment; what is beyond fails, and the next server is asked. */
const mostConnections = 100;

/**
 * Asks one server over UDP, and over TCP what it truncates. Names are sent in mixed case, and a reply that does not
 * spell the question so is not believed (draft-vixie-dnsext-dns0x20): about one bit more for each letter that somebody
 * has to guess. As some servers change the case, such a question is asked once more as the client spelled it, under a new
 * id and port, and that reply counts whatever its case. A server that complains about EDNS is asked without (RFC 6891
 * section 7). Both habits of a server are remembered for ten minutes.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { endpoint, clock, chance } = options;
  const health = createHealth(options.onHealth);
  const habits = createHabits();
  const due = createDueList<Attempt>(clock, options.timeoutMs, (attempt) => end(attempt, 'timeout'));
  const ears = { onPacket: receive, onForeign: () => options.onOutcome('mismatch', 0), onRefused: end };
  const ports = createSourcePorts<Attempt>(endpoint, options.openPort, chance, ears);
  const connections = new Set<TcpQuestion>();
  let waiting = 0;

  function send(attempt: Attempt, now: number): void {
    attempt.sentAt = now;
    attempt.packet = writeQuery(attempt, chance);
    due.add(attempt, now);
    ports.send(attempt, now);
  }

  function release(attempt: Attempt): void {
    due.remove(attempt);
    ports.remove(attempt);
    if (attempt.connection === undefined) return;
    connections.delete(attempt.connection);
    attempt.connection.close();
    attempt.connection = undefined;
  }

  function tell(attempt: Attempt, outcome: UpstreamOutcome, now: number): void {
    options.onOutcome(outcome, (now - attempt.sentAt) / 1000);
  }

  function end(attempt: Attempt, outcome: UpstreamOutcome = 'error', reply?: Reply): void {
    release(attempt);
    waiting -= 1;
    const now = clock.monotonic();
    tell(attempt, outcome, now);
    if (reply === undefined) health.failed(now);
    else {
      health.answered();
      if (!isComplaint(reply.code)) habits.learn(attempt, now);
    }
    attempt.done(reply);
  }

  /** In another way, with a new id and from another port. */
  function again(attempt: Attempt, way: Partial<Attempt>, outcome: UpstreamOutcome): boolean {
    const now = clock.monotonic();
    tell(attempt, outcome, now);
    release(attempt);
    send(Object.assign(attempt, way), now);
    return true;
  }

  function againByTcp(attempt: Attempt): void {
    const now = clock.monotonic();
    tell(attempt, 'answer', now);
    release(attempt);
    attempt.isMixed = false;
    attempt.sentAt = now;
    if (connections.size >= mostConnections) {
      // Our own limit, for which the server is not to blame.
      waiting -= 1;
      attempt.done(undefined);
      return;
    }
    attempt.packet = writeQuery(attempt, chance);
    attempt.packet.writeUInt16BE(chance.short(), 0);
    due.add(attempt, now);
    attempt.connection = askByTcp(endpoint, attempt.packet, (bytes) => receiveByTcp(attempt, bytes));
    connections.add(attempt.connection);
  }

  /** False for a packet that is no answer to the attempt, which then goes on waiting. */
  function receive(attempt: Attempt, bytes: Uint8Array): boolean {
    const kind = compareReply(bytes, attempt.packet, attempt.question.end);
    if (kind === 'foreign') return false;
    const isComplaining = isComplaint((bytes[3] as number) & flags.code);
    if (kind === 'bare') return isComplaining && attempt.hasEdns && again(attempt, withoutEdns, 'answer');
    if (kind === 'respelled' && attempt.isMixed) return again(attempt, asSpelled, 'mismatch');
    if (isComplaining && attempt.hasEdns) return again(attempt, withoutEdns, 'answer');
    if (isTruncated(bytes)) againByTcp(attempt);
    else conclude(attempt, readReply(bytes, attempt.question));
    return true;
  }

  function receiveByTcp(attempt: Attempt, bytes: Uint8Array | undefined): void {
    const kind = bytes && compareReply(bytes, attempt.packet, attempt.question.end);
    if (bytes === undefined) end(attempt, 'error');
    else if (kind === 'foreign' || kind === 'bare') end(attempt, 'mismatch');
    else if (isTruncated(bytes)) end(attempt, 'error');
    else conclude(attempt, readReply(bytes, attempt.question));
  }

  function conclude(attempt: Attempt, reply: Reply | undefined): void {
    if (reply === undefined) end(attempt, 'error');
    else if (reply.code === responseCodes.BADVERS && attempt.hasEdns) again(attempt, withoutEdns, 'answer');
    else end(attempt, 'answer', reply);
  }

  return {
    server: endpointText(endpoint),
    health,
    waiting: () => waiting,
    ask(question, now, done) {
      waiting += 1;
      send(createAttempt(question, done, habits.hasEdns(now), habits.keepsCase(now)), now);
    },
    close() {
      due.close();
      ports.close();
      for (const connection of connections) connection.close();
    },
  };
}

function createAttempt(question: Question, done: Attempt['done'], hasEdns: boolean, isMixed: boolean): Attempt {
  return {
    question,
    done,
    hasEdns,
    isMixed,
    didComplain: false,
    didRespell: false,
    sentAt: 0,
    packet: empty,
    port: undefined,
    hash: 0,
    next: undefined,
    connection: undefined,
    dueAt: 0,
    before: undefined,
    after: undefined,
    isWaiting: false,
  };
}

const empty = Buffer.alloc(0);

function isComplaint(code: number): boolean {
  return code === responseCodes.FORMERR || code === responseCodes.NOTIMP;
}

function isTruncated(reply: Uint8Array): boolean {
  return ((reply[2] as number) & flags.isTruncated) !== 0;
}

/** The client's question with its bits RD and CD, and EDNS of our own. Its options end here (RFC 6891 section 6.1.2). */
function writeQuery({ question, hasEdns, isMixed }: Attempt, chance: Chance): Buffer {
  const { query, end } = question;
  const packet = Buffer.allocUnsafe(hasEdns ? end + optBytes : end);
  packet[2] = (query[2] as number) & flags.wantsRecursion;
  packet[3] = (query[3] as number) & flags.checkingDisabled;
  packet.writeUInt32BE(0x0001_0000, 4);
  packet.writeUInt32BE(hasEdns ? 1 : 0, 8);
  for (let at = headerBytes; at < end; at += 1) packet[at] = query[at] as number;
  if (isMixed) mixCase(packet, end - 4, chance);
  if (hasEdns) addOpt(packet, end, question.wantsDnssec);
  return packet;
}

/** Letters become capital or small by chance. A label's length is at most 63, so it is never taken for a letter. */
function mixCase(packet: Buffer, end: number, chance: Chance): void {
  let bits = 1;
  for (let at = headerBytes; at < end; at += 1) {
    const small = (packet[at] as number) | 0x20;
    if (small < 0x61 || small > 0x7a || (packet[at] as number) < 0x41) continue;
    if (bits === 1) bits = chance.byte() | 0x100;
    packet[at] = (bits & 1) === 1 ? small : small & 0xdf;
    bits >>= 1;
  }
}
