import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createIcmpCheck, icmpSchema } from '../../../src/check/icmp.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { describeWith } from '../../fixtures/component.ts';

const path = process.env['PATH'];
const folders: string[] = [];

function ask(address: string, signal = new AbortController().signal) {
  const check = createIcmpCheck(icmpSchema.parse({ kind: 'icmp' }), { service: 'web', clock: systemClock });
  return check.check({ id: 'i-1', name: 'web-1', address, group: 'web' }, signal);
}

/** Puts a program named `ping` in front of the system's, or nothing at all. */
function replacePing(...lines: string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-ping-'));
  folders.push(folder);
  if (lines.length > 0) {
    writeFileSync(join(folder, 'ping'), ['#!/bin/sh', ...lines, ''].join('\n'));
    chmodSync(join(folder, 'ping'), 0o755);
  }
  process.env['PATH'] = folder;
}

afterEach(() => {
  process.env['PATH'] = path;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describeWith(['ping'], 'the check "icmp" with the real ping', () => {
  it('calls a target up that answers, with its round trip', async () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1']) {
      const probe = await ask(address);
      expect(probe).toMatchObject({ result: 'up', code: 'ok', message: `${address} answers` });
      expect(probe.totalMs).toBeGreaterThan(0);
      expect(probe.totalMs).toBeLessThan(1000);
      expect(probe.connectMs).toBe(probe.totalMs);
    }
  });

  it('cannot ask for what ping refuses', async () => {
    // An address of many hosts wants an option of its own.
    expect(await ask('255.255.255.255')).toMatchObject({ result: 'unknown', code: 'error' });
  });
});

describe('the check "icmp"', () => {
  it('reads what each ping prints', async () => {
    replacePing('echo "rtt min/avg/max/mdev = 0.026/0.026/0.026/0.000 ms"');
    expect(await ask('10.0.0.1')).toMatchObject({ result: 'up', totalMs: 0.026 });
    replacePing('echo "round-trip min/avg/max = 12.5/12.5/12.5 ms"');
    expect(await ask('10.0.0.1')).toMatchObject({ result: 'up', totalMs: 12.5, connectMs: 12.5 });
  });

  it('tells no answer, no way and no right to ask apart', async () => {
    replacePing('echo "1 packets transmitted, 0 received, 100% packet loss, time 0ms"; exit 1');
    expect(await ask('10.0.0.1')).toMatchObject({ result: 'down', code: 'timeout' });
    replacePing('echo "1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms"; exit 1');
    expect(await ask('10.0.0.1')).toMatchObject({ result: 'down', code: 'unreachable' });
    replacePing('echo "ping: connect: Network is unreachable" >&2; exit 2');
    expect(await ask('10.0.0.1')).toMatchObject({ result: 'down', code: 'unreachable' });
    replacePing('echo "ping: socktype: SOCK_RAW: Operation not permitted" >&2; exit 2');
    const probe = await ask('10.0.0.1');
    expect(probe).toMatchObject({ result: 'unknown', code: 'error' });
    expect(probe.message).toContain('Operation not permitted');
    replacePing();
    expect((await ask('10.0.0.1')).message).toContain('which must be installed');
  });
});
