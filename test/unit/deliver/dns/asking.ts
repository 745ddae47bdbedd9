import { type DecodedPacket, decode, encode, type RecordType } from 'dns-packet';
import { dnsSchema, type Endpoint, type ForwardConfig } from '../../../../src/deliver/dns/config.ts';
import { createChance } from '../../../../src/deliver/dns/forward/chance.ts';
import { createForwarder, type Forwarder } from '../../../../src/deliver/dns/forward/forward.ts';
import { readQuestion } from '../../../../src/deliver/dns/forward/match.ts';
import { createBatchPorts } from '../../../../src/deliver/dns/forward/port-batch.ts';
import { openDgramPort } from '../../../../src/deliver/dns/forward/port-dgram.ts';
import type { Reply } from '../../../../src/deliver/dns/forward/reply.ts';
import { createUpstream, type Upstream } from '../../../../src/deliver/dns/forward/upstream.ts';
import type { Libc } from '../../../../src/deliver/dns/transport/libc.ts';
import { loadLibc } from '../../../../src/deliver/dns/transport/load-libc.ts';
import { createFakeClock, type FakeClock } from '../../../fixtures/clock.ts';
import type { NameServer } from '../../../fixtures/name-server.ts';

const found = await loadLibc(['koffi']);

/** How packets get to servers and back on this machine: on Linux in both ways. */
export const ways: readonly { readonly name: string; readonly libc?: Libc }[] = [
  { name: 'dgram' },
  ...(typeof found === 'string' ? [] : [{ name: 'recvmmsg', libc: found }]),
];

/** A query as a client sends it. */
export function queryFor(
  name: string,
  options: { type?: RecordType; id?: number; flags?: number; edns?: number; isDo?: boolean } = {},
): Buffer {
  const { type = 'A', id = 4711, flags = 0x0100, edns, isDo = false } = options;
  const opt = { type: 'OPT', name: '.', udpPayloadSize: edns ?? 0, flags: isDo ? 0x8000 : 0, options: [] } as const;
  const additionals = edns === undefined ? [] : [{ ...opt, extendedRcode: 0, ednsVersion: 0, flag_do: isDo }];
  return encode({ type: 'query', id, flags, questions: [{ type, name }], additionals: additionals as never });
}

/** A forwarder on a clock that stands still, and what it reported. */
export interface Forwarding {
  readonly forwarder: Forwarder;
  readonly clock: FakeClock;
  /** `server outcome`, in order. */
  readonly upstream: string[];
  readonly cache: string[];
  /** Asks over UDP, or over TCP with a limit of its own; resolves with the reply. */
  ask(query: Buffer, limitBytes?: number): Promise<DecodedPacket | undefined>;
}

export function startForwarding(servers: readonly NameServer[], options: object = {}, libc?: Libc): Forwarding {
  const to = servers.map(({ name }) => name);
  const config = dnsSchema.parse({ forward: { to, ...options } }).forward as ForwardConfig;
  const clock = createFakeClock();
  const upstream: string[] = [];
  const cache: string[] = [];
  const forwarder = createForwarder({
    config,
    clock,
    libc,
    onUpstream: (server, outcome) => upstream.push(`${server} ${outcome}`),
    onCache: (outcome) => cache.push(outcome),
  });
  return {
    forwarder,
    clock,
    upstream,
    cache,
    ask: (query, limitBytes = 1232) =>
      new Promise((resolve) => {
        forwarder.ask(query, limitBytes, (reply) => resolve(reply && decode(Buffer.from(reply))));
      }),
  };
}

/** One server as the forwarder asks it, on a clock that stands still, with a second for each question. */
export interface UpstreamAsking {
  readonly upstream: Upstream;
  readonly clock: FakeClock;
  /** What was reported, and `health` for each change of that. */
  readonly outcomes: string[];
  ask(query: Buffer): Promise<Reply | undefined>;
}

export function startUpstream(endpoint: Endpoint, libc?: Libc): UpstreamAsking {
  const clock = createFakeClock();
  const outcomes: string[] = [];
  const upstream = createUpstream({
    endpoint,
    openPort: libc === undefined ? openDgramPort : createBatchPorts(libc),
    clock,
    chance: createChance(),
    timeoutMs: 1000,
    onOutcome: (outcome) => outcomes.push(outcome),
    onHealth: () => outcomes.push('health'),
  });
  return {
    upstream,
    clock,
    outcomes,
    ask(query) {
      const question = readQuestion(query);
      if (question === undefined) throw new Error('cannot read the question of a test');
      return new Promise((resolve) => upstream.ask(question, clock.monotonic(), resolve));
    },
  };
}
