import { describe, expect, it } from 'vitest';
import { recordTypes, responseCodes } from '../../../../src/deliver/dns/answer/wire.ts';
import { a, asking, named, queryOf, type Told, zoneOf } from './answering.ts';

const { ask, give, answerer } = asking(zoneOf(named('web.zone.test', [a('10.0.0.1')])));

/** The query with some of its bytes written over. */
function altered(changes: Readonly<Record<number, number>>, query = queryOf('web.zone.test')): Buffer {
  const bytes = Buffer.from(query);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  return bytes;
}

function told(query: Buffer): Told {
  const reply = give(query);
  if (typeof reply !== 'object') throw new Error(`no reply: ${String(reply)}`);
  return reply;
}

const optOf = (...data: number[]) => [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, data.length >> 8, data.length & 255, ...data];

/** A query with these records behind its question, told in its counts. */
function withRecords(records: readonly (readonly number[])[], place = 11): Buffer {
  return altered(
    { [place]: records.length },
    Buffer.concat([queryOf('web.zone.test'), ...records.map((r) => Buffer.from(r))]),
  );
}

describe('what must not be answered', () => {
  it('is less than a header, and a response', () => {
    for (let length = 0; length < 12; length += 1)
      expect(give(queryOf('web.zone.test').subarray(0, length))).toBeUndefined();
    expect(give(altered({ 2: 0x81 }))).toBeUndefined();
    expect(answerer.refuse(altered({ 2: 0x80 }), 0, 31, responseCodes.REFUSED, new Uint8Array(512))).toBe(0);
  });
});

describe('what is refused', () => {
  it('is every class but IN, and transfers of zones', () => {
    for (const [type, options] of [
      ['A', { class: 3 }],
      ['A', { class: 255 }],
      ['A', { class: 0 }],
      ['AXFR', {}],
      ['IXFR', {}],
    ] as const) {
      const { code, answers, packet } = ask('web.zone.test', type, options);
      expect([type, code, answers, packet.flag_aa]).toEqual([type, 'REFUSED', [], false]);
    }
  });

  it('is every opcode but QUERY, as not implemented', () => {
    for (let opcode = 1; opcode < 16; opcode += 1) {
      const reply = told(altered({ 2: opcode << 3 }));
      expect([reply.code, (reply.bytes.readUInt16BE(2) >> 11) & 15]).toEqual(['NOTIMP', opcode]);
    }
  });
});

describe('what is malformed', () => {
  it('is a query without a question or with several (RFC 9619), answered without one', () => {
    for (const count of [0, 2, 255]) {
      const { code, packet, bytes } = told(altered({ 5: count }));
      expect([count, code, packet.questions, bytes.length]).toEqual([count, 'FORMERR', [], 12]);
    }
  });

  it('is a question that ends too early, wherever it ends', () => {
    const query = queryOf('web.zone.test');
    for (let length = 12; length < query.length; length += 1) {
      expect(told(query.subarray(0, length))).toMatchObject({ code: 'FORMERR', packet: { questions: [] } });
    }
  });

  it('is a name with a pointer, with another kind of label, or of more than 255 bytes', () => {
    for (const length of [0xc0, 0x80, 0x40, 0x41, 64, 255]) {
      expect(told(altered({ 12: length })).code).toBe('FORMERR');
    }
    const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 'a')]);
    const long = Buffer.concat([queryOf('').subarray(0, 12), label, label, label, label, Buffer.from([0, 0, 1, 0, 1])]);
    expect(told(long).code).toBe('FORMERR');
  });

  it('is a record that was announced and is not there, or not whole', () => {
    expect(told(altered({ 11: 1 })).code).toBe('FORMERR');
    const query = withRecords([optOf(0, 3, 0, 2, 1, 2)]);
    for (let cut = 1; cut <= 17; cut += 1) expect(told(query.subarray(0, query.length - cut)).code).toBe('FORMERR');
  });

  it('keeps its question where that can be read', () => {
    expect(told(altered({ 11: 1 })).packet.questions).toMatchObject([{ name: 'web.zone.test', type: 'A' }]);
  });
});

describe('EDNS', () => {
  it('is spoken with those who speak it, with our size and without options', () => {
    expect(ask('web.zone.test').packet.additionals).toEqual([]);
    for (const name of ['web.zone.test', 'nobody.zone.test', 'elsewhere.test']) {
      expect(ask(name, 'A', { edns: 4096 }).packet.additionals).toMatchObject([
        { type: 'OPT', name: '.', udpPayloadSize: 1232, ednsVersion: 0, flags: 0, options: [] },
      ]);
    }
  });

  it('keeps the bit DO and no other flag (RFC 3225, RFC 6891)', () => {
    const flags = (query: Buffer) => told(query).packet.additionals?.map((opt) => 'flags' in opt && opt.flags);
    expect(flags(queryOf('web.zone.test', 'A', { edns: 512, isDo: true }))).toEqual([0x8000]);
    const opt = optOf();
    opt.splice(7, 2, 0x7f, 0xff);
    expect(flags(withRecords([opt]))).toEqual([0]);
  });

  it('of a later version is answered with BADVERS, which lies in two places', () => {
    const opt = optOf();
    opt[6] = 1;
    const { packet, bytes, answers } = told(withRecords([opt]));
    expect([bytes.readUInt16BE(2) & 15, answers]).toEqual([0, []]);
    expect(packet.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1, ednsVersion: 0 }]);
    expect(answerer.lastCode).toBe(responseCodes.BADVERS);
  });

  it('has options that are ignored when they are whole', () => {
    expect(told(withRecords([optOf(0, 10, 0, 2, 1, 2, 0xff, 0xfe, 0, 0)])).code).toBe('NOERROR');
    for (const data of [[0], [0, 10, 0], [0, 10, 0, 3, 1, 2]])
      expect(told(withRecords([optOf(...data)])).code).toBe('FORMERR');
  });

  it('has one OPT record, with the root as its name, in the last section', () => {
    for (const query of [
      withRecords([optOf(), optOf()]),
      withRecords([[1, 0x61, ...optOf()]]),
      withRecords([[0xc0, 12, ...optOf().slice(1)]]),
      withRecords([optOf()], 7),
      withRecords([optOf()], 9),
    ]) {
      expect(told(query)).toMatchObject({ code: 'FORMERR', packet: { additionals: [{ type: 'OPT' }] } });
    }
  });

  it('may stand behind records of other types, such as a signature of the query', () => {
    const other = [0xc0, 12, 0, 250, 0, 255, 0, 0, 0, 0, 0, 1, 7];
    expect(told(withRecords([other, optOf()])).packet.additionals).toMatchObject([{ type: 'OPT' }]);
  });
});

describe('the flags of a reply', () => {
  it('are RD, CD and opcode as they came, and nothing else of the query', () => {
    for (const [sent, got] of [
      [0x0000, 0x8400],
      [0x0100, 0x8500],
      [0x0010, 0x8410],
      [0x0660, 0x8400],
      [0x07ff, 0x8510],
    ] as const) {
      expect(ask('web.zone.test', 'A', { flags: sent }).bytes.readUInt16BE(2)).toBe(got);
    }
  });
});

describe('a refusal by others than the table', () => {
  it('has the code, the question and OPT, and TC where that is wanted', () => {
    const reply = new Uint8Array(512);
    const query = queryOf('Web.zone.test', 'TXT', { edns: 1232 });
    const length = answerer.refuse(query, 0, query.length, responseCodes.SERVFAIL, reply);
    expect(Buffer.from(reply.subarray(12, length))).toEqual(Buffer.from(query.subarray(12)));
    expect([reply[2], reply[3]]).toEqual([0x81, 2]);
    answerer.refuse(query, 0, query.length, responseCodes.NOERROR, reply, true);
    expect([reply[2], reply[3]]).toEqual([0x83, 0]);
    expect([answerer.lastType, answerer.lastQuestionBytes]).toEqual([recordTypes.TXT, 19]);
  });

  it('of what cannot be read is a header alone', () => {
    const reply = new Uint8Array(512);
    expect(answerer.refuse(queryOf('a.b'), 0, 14, responseCodes.FORMERR, reply)).toBe(12);
    expect([answerer.lastType, answerer.lastQuestionBytes, answerer.lastCode]).toEqual([0, 0, responseCodes.FORMERR]);
  });
});
