import type { Answerer } from './answer/answer.ts';
import { createName, readName } from './answer/names.ts';
import { headerBytes, readUint16, responseCodes } from './answer/wire.ts';
import type { Counts } from './counts.ts';
import type { Forwarder } from './forward/forward.ts';
import { type LimitOutcome, mix, type RateLimit } from './rate-limit.ts';
import { askLater, maxUdpReplyBytes, type Responder } from './responder.ts';

/** What a responder is made of. */
export interface RespondParts {
  readonly answerer: Answerer;
  /** Absent: nothing is forwarded. */
  readonly forwarder?: Forwarder | undefined;
  /** Absent: nothing is limited. */
  readonly limit?: RateLimit | undefined;
  readonly counts: Counts;
  /** Milliseconds, with fractions, on a clock that never jumps. */
  readonly nowMs: () => number;
}

/** Looking at the clock twice costs about as much as an answer, so that one in so many is measured and stands for all. */
const measuredEvery = 64;
const maxTcpReplyBytes = 65_535;
/** What the answerer wants for a reply without records. */
const bareReplyBytes = 512;

/** What distinguishes answers besides their owner, in the place of a code or a type that they cannot have. */
const forwardedMark = 0x1_0000;

/**
 * Answers from the table, has other servers asked for those who may have that, holds back what one network gets too much
 * of, and counts. Over TCP nothing is held back: there, askers have shown that their address is theirs.
 */
export function createRespond(parts: RespondParts): Responder {
  const { answerer, forwarder, limit, counts, nowMs } = parts;
  const name = createName();
  let turn = 0;

  function judge(address: Uint8Array, hash: number, code: number): LimitOutcome {
    const outcome = limit?.judge(address, hash) ?? 'send';
    if (outcome === 'drop') counts.limited('dropped');
    if (outcome !== 'truncate') return outcome;
    // An error has no records that could be left out, and TC would not bring a better one: it goes as it is.
    if (code !== responseCodes.NOERROR && code !== responseCodes.NXDOMAIN) return 'send';
    counts.limited('truncated');
    return 'truncate';
  }

  function write(query: Uint8Array, start: number, length: number, isTcp: boolean, reply: Uint8Array): number {
    const limitBytes = isTcp ? maxTcpReplyBytes : maxUdpReplyBytes;
    return answerer.answer(query, start, length, limitBytes, reply);
  }

  /** A reply with nothing but the question, in bytes of its own; `undefined` for silence. */
  function bare(query: Uint8Array, code: number, isTruncated: boolean): Uint8Array | undefined {
    const reply = new Uint8Array(bareReplyBytes);
    const length = answerer.refuse(query, 0, query.length, code, reply, isTruncated);
    return length === 0 ? undefined : reply.subarray(0, length);
  }

  /** What is really sent of a reply of another server. */
  function hold(query: Uint8Array, address: Uint8Array, reply: Uint8Array): Uint8Array | undefined {
    const code = codeOf(reply);
    const owner =
      code === responseCodes.NOERROR && readName(query, headerBytes, query.length, name) ? name.hashes[0] : 0;
    const outcome = judge(address, mix(mix(owner as number, code), forwardedMark), code);
    if (outcome === 'send') return reply;
    return outcome === 'drop' ? undefined : bare(query, responseCodes.NOERROR, true);
  }

  return {
    now(query, start, length, asker, reply) {
      const isTcp = asker.transport === 'tcp';
      turn = turn + 1 === measuredEvery ? 0 : turn + 1;
      const fromMs = turn === 0 ? nowMs() : 0;
      let size = write(query, start, length, isTcp, reply);
      if (size === askLater) {
        if (forwarder?.mayAsk(asker.address)) return askLater;
        size = answerer.refuse(query, start, length, responseCodes.REFUSED, reply);
      }
      if (limit !== undefined && !isTcp && size > 0 && limit.covers(asker.address)) {
        const outcome = judge(asker.address, answerHash(answerer, reply), answerer.lastCode);
        if (outcome === 'drop') size = 0;
        else if (outcome === 'truncate') {
          size = answerer.refuse(query, start, length, responseCodes.NOERROR, reply, true);
        }
      }
      if (size === 0) counts.unanswered(answerer.lastType, isTcp);
      else counts.answered(answerer.lastType, answerer.lastCode, isTcp);
      if (turn === 0) counts.took((nowMs() - fromMs) / 1000, measuredEvery);
      return size;
    },

    later(query, asker, send) {
      const isTcp = asker.transport === 'tcp';
      const address = limit !== undefined && !isTcp && limit.covers(asker.address) ? asker.address.slice() : undefined;
      const isRead = readName(query, headerBytes, query.length, name);
      const type = isRead ? readUint16(query, headerBytes + name.bytes) : 0;
      const fromMs = nowMs();
      const done = (found: Uint8Array | undefined) => {
        const whole = found ?? bare(query, responseCodes.SERVFAIL, false);
        const reply = whole !== undefined && address !== undefined ? hold(query, address, whole) : whole;
        if (reply === undefined) counts.unanswered(type, isTcp);
        else counts.answered(type, codeOf(reply), isTcp);
        counts.took((nowMs() - fromMs) / 1000, 1);
        if (reply !== undefined) send(reply);
      };
      if (forwarder === undefined) done(undefined);
      else forwarder.ask(query, isTcp ? maxTcpReplyBytes : maxUdpReplyBytes, done);
    },
  };
}

/** The code in the header of a reply; those above 15 are never forwarded. */
function codeOf(reply: Uint8Array): number {
  return (reply[3] as number) & 15;
}

/**
 * Equal for replies that share an account of the rate limit: those with one code about one name of the table, and with
 * records of one type. The name is the table's, as those below a wildcard are without end; so is the type, as every type
 * of a name with a CNAME has the same answer. All that is about no name of ours is together, by its code.
 */
function answerHash(answerer: Answerer, reply: Uint8Array): number {
  const hasRecords = readUint16(reply, 6) > 0;
  // After the question stands the owner of the first record, as a pointer.
  const type = hasRecords ? readUint16(reply, headerBytes + answerer.lastQuestionBytes + 2) : 0;
  return mix(mix(answerer.lastOwner, answerer.lastCode), type);
}
