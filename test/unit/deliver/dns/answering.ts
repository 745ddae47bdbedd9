import { type Answer, type DecodedPacket, decode } from 'dns-packet';
import { type Answerer, createAnswerer } from '../../../../src/deliver/dns/answer/answer.ts';
import { createTable, type Table } from '../../../../src/deliver/dns/answer/table.ts';
import { recordTypes, writeName } from '../../../../src/deliver/dns/answer/wire.ts';
import { compileChapter, joinChapters } from '../../../../src/deliver/dns/records/compile.ts';
import type { Chapter, NamedSets, RecordData, RecordSet } from '../../../../src/deliver/dns/records/records.ts';
import { askLater, maxUdpReplyBytes } from '../../../../src/deliver/dns/responder.ts';

export const apex = 'zone.test';

export const a = (address: string): RecordData => ({ type: 'A', address });
export const cname = (target: string): RecordData => ({ type: 'CNAME', target });
export const txt = (text: string): RecordData => ({ type: 'TXT', text });

/** A SOA whose negative TTL is shorter than its own. */
export const soa = (zone = apex): RecordData => ({
  type: 'SOA',
  primary: `ns.${zone}`,
  mailbox: `hostmaster.${zone}`,
  serial: 7,
  refreshSeconds: 1,
  retrySeconds: 2,
  expireSeconds: 3,
  negativeTtlSeconds: 5,
});

/** A set of records of one type, all of them in every answer as they stand. */
export function setOf(records: readonly RecordData[], options: Partial<RecordSet> = {}): RecordSet {
  const [first] = records;
  if (first === undefined) throw new Error('a set has records');
  const all = records.map((data) => ({ data }));
  return { type: first.type, ttlSeconds: 60, order: 'fixed', answers: records.length, records: all, ...options };
}

/** A name with each of the data in a set of its own type. */
export function named(name: string, data: readonly RecordData[], options: Partial<NamedSets> = {}): NamedSets {
  const types = [...new Set(data.map(({ type }) => type))];
  const sets = types.map((type) => setOf(data.filter((one) => one.type === type)));
  return { name, sets, apex, otherTypes: 'nodata', ...options };
}

/** A table with these chapters in it. */
export function tableOf(...chapters: readonly Chapter[]): Table {
  const table = createTable();
  table.install(joinChapters(chapters.map(compileChapter)));
  table.settle(Number.POSITIVE_INFINITY);
  return table;
}

/** A table with the apex of the zone and these names. */
export function zoneOf(...names: readonly NamedSets[]): Table {
  return tableOf({ key: 'zone', names: [named(apex, [soa()]), ...names] });
}

export interface AskOptions {
  readonly id?: number;
  readonly flags?: number;
  readonly class?: number;
  /** Size in an OPT record; absent: none. */
  readonly edns?: number;
  readonly isDo?: boolean;
}

/** A query with one question, spelled by hand, as dns-packet cannot spell all that is asked here. */
export function queryOf(name: string, type: keyof typeof recordTypes | number = 'A', options: AskOptions = {}): Buffer {
  const { id = 4711, flags = 0x0100, edns, isDo = false } = options;
  const number = typeof type === 'number' ? type : recordTypes[type];
  const uint16 = (value: number) => [value >>> 8, value & 255];
  const head = [id, flags, 1, 0, 0, edns === undefined ? 0 : 1].flatMap(uint16);
  const opt = edns === undefined ? [] : [0, ...uint16(41), ...uint16(edns), 0, 0, isDo ? 0x80 : 0, 0, 0, 0];
  return Buffer.from([...head, ...writeName(name), ...uint16(number), ...uint16(options.class ?? 1), ...opt]);
}

/** A reply as it is looked at here. */
export interface Told {
  readonly bytes: Buffer;
  readonly packet: DecodedPacket;
  readonly code: string;
  /** `owner type data` of each record, as in a zone file. */
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
}

function shown(record: Answer): string {
  const data = 'data' in record ? record.data : '';
  const ttl = 'ttl' in record ? record.ttl : 0;
  const text = Array.isArray(data) ? data.join('') : typeof data === 'object' ? JSON.stringify(data) : String(data);
  return `${record.name} ${ttl} ${record.type} ${text}`;
}

/** Takes a reply apart; throws when it is none. */
export function tell(reply: Uint8Array): Told {
  const bytes = Buffer.from(reply);
  const packet = decode(bytes);
  const list = (records: readonly Answer[] | undefined) =>
    (records ?? []).filter((record) => record.type !== 'OPT').map(shown);
  const { rcode: code } = packet as { rcode?: string };
  return {
    bytes,
    packet,
    code: code ?? '',
    answers: list(packet.answers),
    authorities: list(packet.authorities),
    additionals: list(packet.additionals),
  };
}

/** Taken again for every reply, so that each finds the bytes of another one. */
const into = new Uint8Array(65_535);

/** Gives a reply to bytes, `undefined` for silence, `later` for a question that others are asked. */
export function replyTo(answerer: Answerer, query: Uint8Array, limitBytes: number): Uint8Array | 'later' | undefined {
  // What stands around the query is neither read nor changed.
  const around = new Uint8Array(query.length + 64).fill(0xff);
  around.set(query, 32);
  const length = answerer.answer(around, 32, query.length, limitBytes, into);
  if (length === askLater) return 'later';
  return length === 0 ? undefined : into.slice(0, length);
}

export interface Asking {
  readonly answerer: Answerer;
  ask(name: string, type?: keyof typeof recordTypes | number, options?: AskOptions): Told;
  /** Any bytes; `limitBytes` is the transport's. */
  give(query: Uint8Array, limitBytes?: number): Told | 'later' | undefined;
}

/** Asks an answerer over the table. */
export function asking(table: Table, forwards = false): Asking {
  const answerer = createAnswerer(table, { forwards });
  const give = (query: Uint8Array, limitBytes = maxUdpReplyBytes) => {
    const reply = replyTo(answerer, query, limitBytes);
    return typeof reply === 'object' ? tell(reply) : reply;
  };
  return {
    answerer,
    give,
    ask(name, type, options) {
      const told = give(queryOf(name, type, options));
      if (typeof told !== 'object') throw new Error(`no reply for ${name}: ${String(told)}`);
      return told;
    },
  };
}
