import { describe, expect, it } from 'vitest';
import { holderFinding, holderOf, isHsdo, type Place, parseListeners } from '../../../src/doctor/ports.ts';

const place = (host: string, port: number): Place => ({
  name: 'API',
  transport: 'tcp',
  host,
  port,
  option: 'api.listen',
});
const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, state: string, inode: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`;

describe('who listens on a port', () => {
  it('is read from the tables of the kernel, listening sockets alone', () => {
    const four = [head, line('0100007F:1FC0', '0A', '11'), line('0100007F:1FC1', '01', '12')].join('\n');
    expect(parseListeners(four, 'tcp')).toEqual([{ address: '127.0.0.1', port: 8128, inode: '11' }]);
    const six = [head, line('00000000000000000000000001000000:0035', '07', '13')].join('\n');
    expect(parseListeners(six, 'udp')).toEqual([{ address: '::1', port: 53, inode: '13' }]);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['127.0.0.1', '0.0.0.0', true],
    ['0.0.0.0', '127.0.0.5', true],
    ['127.0.0.1', '::', true],
  ])('of %s is somebody at %s: %s', (host, address, isHeld) => {
    const holder = holderOf(place(host, 80), [{ address, port: 80, inode: '1' }]);
    expect(holder !== undefined).toBe(isHeld);
  });

  it('of another port, or of a port that is chosen by chance, is nobody', () => {
    expect(holderOf(place('127.0.0.1', 81), [{ address: '127.0.0.1', port: 80, inode: '1' }])).toBeUndefined();
    expect(holderOf(place('127.0.0.1', 0), [{ address: '127.0.0.1', port: 0, inode: '1' }])).toBeUndefined();
  });

  it('may be hsdo itself, which is in order', () => {
    expect(isHsdo(['/usr/bin/node', '/opt/hsdo/dist/main.js', '--server'])).toBe(true);
    expect(isHsdo(['hsdo', '--client'])).toBe(true);
    expect(isHsdo(['hsdo', 'status'])).toBe(false);
    expect(isHsdo(['nginx', '--server'])).toBe(false);
    expect(holderFinding(place('::1', 80), { pid: 7, command: 'hsdo', isHsdo: true })).toEqual({
      state: 'ok',
      about: 'API at [::1]:80',
      says: 'hsdo listens there already (pid 7)',
    });
    expect(holderFinding(place('::1', 80), { pid: 7, command: 'nginx', isHsdo: false })).toMatchObject({
      state: 'fault',
      remedy: 'stop it, or choose another place: api.listen',
    });
    expect(holderFinding(place('::1', 80), undefined)).toMatchObject({ state: 'warning' });
  });
});
