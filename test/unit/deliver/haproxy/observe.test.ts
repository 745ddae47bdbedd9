import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress } from '../../../../src/deliver/haproxy/commands.ts';
import { indexOf, parseServersState, readServersState } from '../../../../src/deliver/haproxy/observe.ts';
import { parseInfo } from '../../../../src/deliver/haproxy/show-info.ts';
import { HsdoError } from '../../../../src/model/error.ts';

const header =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';

function row(
  fields: {
    name?: string;
    id?: number;
    address?: string;
    op?: string;
    admin?: string;
    weight?: string;
    check?: string;
    agent?: string;
    port?: string;
  } = {},
) {
  const {
    name = 'web1',
    id = 1,
    address = '10.0.0.1',
    op = '2',
    admin = '4',
    weight = '10',
    check = '6',
    agent = '0',
    port = '80',
  } = fields;
  return `3 web ${id} ${name} ${address} ${op} ${admin} ${weight} 1 7 15 3 3 ${check} ${agent} 0 0 - ${port} - 0 0 - - 0`;
}

const parse = (...rows: string[]) =>
  parseServersState(`1\n${header}\n${rows.join('\n')}\n\n`, 'web', 'web', canonicalAddress);
const one = (fields: Parameters<typeof row>[0]) => parse(row(fields)).servers.get(1);

describe('show servers state', () => {
  it('is read by the names of its columns, wherever they stand and whatever stands beside them', () => {
    const names = `${header} srv_new`.replace('be_id ', '');
    const text = `1\n${names}\n${`${row()} x`.replace(/^3 /, '')}\n`;
    expect(parseServersState(text, 'web', 'web', canonicalAddress).servers.get(1)).toEqual({
      index: 1,
      name: 'web1',
      id: 1,
      address: '10.0.0.1',
      port: 80,
      admin: 'ready',
      isUp: true,
      weight: 10,
      initialWeight: 1,
      hasChecks: true,
      hasAgent: false,
      hasAddress: true,
    });
  });

  it.each([
    ['0', 'ready'],
    ['4', 'ready'],
    ['64', 'ready'],
    ['5', 'maint'],
    ['1', 'maint'],
    ['2', 'maint'],
    ['12', 'drain'],
    ['16', 'drain'],
    ['13', 'maint'],
    ['36', 'maint'],
  ])('reads admin state %s as %s', (admin, state) => expect(one({ admin })?.admin).toBe(state));

  it('tells a server without address, one with an agent and one without checks', () => {
    expect(one({ admin: '32', address: '-' })).toMatchObject({ hasAddress: false });
    expect(one({ address: '-' })?.address).toBeUndefined();
    expect(one({ agent: '22' })?.hasAgent).toBe(true);
    expect(one({ check: '8' })?.hasChecks).toBe(false);
    expect(one({ check: '2' })?.hasChecks).toBe(false);
    expect(one({ check: '14' })?.hasChecks).toBe(true);
    expect(one({ op: '0' })?.isUp).toBe(false);
  });

  it('gives addresses their one spelling', () => {
    expect(one({ address: '2001:DB8:0:0::1' })?.address).toBe('2001:db8::1');
    expect(one({ address: '::ffff:10.0.0.1' })?.address).toBe('10.0.0.1');
  });

  it('finds the servers of a template by base name and exact number', () => {
    const names = ['web1', 'web10', 'web-backend1', 'web01', 'web', 'web1a', 'xweb1', 'web1000000000'];
    expect(names.map((name) => indexOf(name, 'web'))).toEqual([
      1,
      10,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    const { servers, ids } = parse(row({ id: 1, name: 'static' }), row({ id: 2 }));
    expect([[...servers.keys()], [...ids]]).toEqual([[1], [1, 2]]);
  });

  it('sets a server with unknown columns apart, and keeps the others', () => {
    const { servers, unreadable } = parse(
      row({ admin: '128' }),
      row({ name: 'web2', id: 2, weight: '1e2' }),
      row({ name: 'web3', id: 3 }),
    );
    expect([...servers.keys()]).toEqual([3]);
    expect(unreadable.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'srv_admin_state is "128"; expected a number from 0 to 127'],
      [2, 'srv_uweight is "1e2"; expected a number from 0 to 256'],
    ]);
  });

  it.each([["Can't find backend.\n"], [''], ['2\n# x\n'], ['1\n# be_id be_name\n']])(
    'is refused when it says %j',
    (text) =>
      expect(() => parseServersState(text, 'web', 'web', canonicalAddress)).toThrow(
        expect.objectContaining({ code: 'rejected' }),
      ),
  );

  it('never fails otherwise, whatever comes', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...row().split(' '), '-1', 'NaN', '')).map((cells) => cells.join(' ')),
    );
    fc.assert(
      fc.property(fc.array(hostile), (lines) => {
        for (const [address, server] of [...parse(...lines).servers.values()].map(
          (each) => [each.address, each] as const,
        )) {
          expect(address === undefined || canonicalAddress(address) === address).toBe(true);
          expect(server.weight >= 0 && server.weight <= 256).toBe(true);
        }
        try {
          parseServersState(lines.join('\n'), 'web', 'web', canonicalAddress);
        } catch (error) {
          expect(error).toBeInstanceOf(HsdoError);
        }
      }),
    );
  });
});

describe('the next show servers state', () => {
  const question = { backend: 'web', baseName: 'web', canonical: canonicalAddress };
  const textOf = (...rows: string[]) => `1\n${header}\n${rows.join('\n')}\n\n`;
  const later = (line: string) => line.replace(' 7 15 ', ' 1234 15 ');

  it('is the one before when nothing but the times moved', () => {
    const rows = [row(), row({ name: 'web2', id: 2 }), row({ name: 'other', id: 3 })];
    const before = readServersState(textOf(...rows), question);
    expect(readServersState(textOf(...rows.map(later)), question, before)).toBe(before);
    const [first = '', ...others] = rows;
    for (const next of [
      others,
      [...rows, row({ name: 'web4', id: 4 })],
      [first.replace(' 7 15 ', ' 7 9 15 '), ...others],
      [`${first}1`, ...others],
    ])
      expect(readServersState(textOf(...next), question, before)).not.toBe(before);
  });

  it('brings the same object for a server of which nothing but the time moved', () => {
    const before = readServersState(textOf(row(), row({ name: 'web2', id: 2 })), question).observation;
    const reading = readServersState(textOf(row(), row({ name: 'web2', id: 2 })), question);
    const after = readServersState(textOf(later(row()), row({ name: 'web2', id: 2, weight: '11' })), question, reading);
    expect(after.observation.servers.get(1)).toBe(reading.observation.servers.get(1));
    expect(after.observation.servers.get(2)).toEqual({ ...before.servers.get(2), weight: 11 });
  });

  it('says what it would say without the one before, whatever came before', () => {
    const cell = fc.constantFrom('0', '1', '2', '4', '7', '15', '128', 'x', '');
    const line = fc
      .tuple(fc.nat({ max: 30 }), cell, fc.constantFrom('web1', 'web2', 'static'))
      .map(([position, text, name]) =>
        row({ name })
          .split(' ')
          .with(position % 25, text)
          .join(' '),
      );
    const heading = fc.constantFrom(header, header.replace('srv_time_since_last_change ', ''), `${header} more`);
    const reply = fc.tuple(heading, fc.array(line)).map(([head, lines]) => `1\n${head}\n${lines.join('\n')}\n`);
    fc.assert(
      fc.property(reply, reply, (first, second) => {
        const { observation } = readServersState(second, question, readServersState(first, question));
        expect(observation).toEqual(parseServersState(second, 'web', 'web', canonicalAddress));
      }),
    );
  });
});

describe('show info', () => {
  it('names the process', () => {
    const text = 'Name: HAProxy\nVersion: 2.6.12-1\nPid: 42\nStart_time_sec: 1700000000\nStopping: 1\n';
    expect(parseInfo(text)).toEqual({ pid: 42, startedAt: 1_700_000_000_000, version: '2.6.12-1', isStopping: true });
    expect(parseInfo('Permission denied\n')).toBeUndefined();
  });
});
