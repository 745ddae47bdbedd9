import { describe, expect, it } from 'vitest';
import { parseState } from '../../../src/demo/runtime.ts';

const header =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
const info = 'Name: HAProxy\nVersion: 2.6.12-1+deb12u2\nPid: 4711\nUptime: 0d 0h00m01s\n';
const rows = [
  '3 web 1 web1 127.77.0.1 2 4 10 1 5 15 3 4 6 0 0 0 hsdo-slot.invalid 8080 - 0 0 - - 0',
  '3 web 2 web2 127.77.0.2 0 4 1 1 5 17 2 0 6 0 0 0 hsdo-slot.invalid 8080 - 0 0 - - 0',
  '3 web 3 web3 127.77.0.3 2 12 10 1 5 15 3 4 6 0 0 0 hsdo-slot.invalid 8080 - 0 0 - - 0',
  '3 web 4 web4 127.0.0.2 0 5 1 1 5 1 0 0 14 0 0 0 hsdo-slot.invalid 80 - 0 0 - - 0',
];

describe('the state of HAProxy', () => {
  it('is read from the replies to show info and show servers state', () => {
    const state = parseState(`${info}\n1\n${header}\n${rows.join('\n')}\n\n`);
    expect(state.workerPid).toBe(4711);
    expect(state.version).toBe('2.6.12-1+deb12u2');
    expect(state.servers.map(({ index, admin, isUp, weight }) => [index, admin, isUp, weight])).toEqual([
      [1, 'ready', true, 10],
      [2, 'ready', false, 1],
      [3, 'drain', true, 10],
      [4, 'maint', false, 1],
    ]);
    expect(state.servers[0]).toMatchObject({ address: '127.77.0.1', port: 8080 });
  });

  it('is not taken for empty when HAProxy says something else', () => {
    expect(() => parseState('')).toThrow(/Cannot read HAProxy's process/);
    expect(() => parseState(`${info}\nCan't find backend.\n`)).toThrow(/Cannot read HAProxy's server list/);
  });
});
