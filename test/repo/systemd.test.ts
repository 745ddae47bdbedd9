import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';

const units = join(import.meta.dirname, '..', '..', 'conf', 'systemd');
const debianUnit = '/lib/systemd/system/haproxy.service';
const folder = mkdtempSync(join(tmpdir(), 'hsdo-units-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Copies our units beside Debian's HAProxy and puts in the Node of this machine, which may live elsewhere. */
function prepare(): void {
  cpSync(units, folder, { recursive: true });
  if (existsSync(debianUnit)) cpSync(debianUnit, join(folder, 'haproxy.service'));
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(service|socket|conf)$/.test(file) || file.endsWith('.d')) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    writeFileSync(join(folder, file), text.replaceAll('/usr/bin/node', process.execPath));
  }
}

/** What systemd-analyze complains about; it ends with 0 on an unknown directive, so its words count. */
function complaints(unit: string): string {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
    env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
    encoding: 'utf8',
  });
  return `${stdout}${stderr}${status === 0 ? '' : `exit code ${status}`}`;
}

const read = (name: string) => readFileSync(join(units, name), 'utf8');

describeWith(['systemd-analyze', 'haproxy'], 'the systemd units', () => {
  prepare();

  it('are understood by systemd without a complaint', () => {
    expect(complaints('hsdo-server.service')).toBe('');
    expect(complaints('hsdo-client.service')).toBe('');
    expect(complaints('hsdo-dns.service')).toBe('');
    expect(complaints('hsdo-agent.service')).toBe('');
    expect(complaints('hsdo-dns.socket')).toBe('');
  });

  it("fit into Debian's own haproxy.service", () => {
    expect(existsSync(join(folder, 'haproxy.service'))).toBe(true);
    expect(complaints('haproxy.service')).toBe('');
  });

  it('would be caught with a directive that does not exist or a program that is not there', () => {
    writeFileSync(join(folder, 'wrong.service'), '[Service]\nExecStart=/nowhere/node\nProtectEverything=yes\n');
    expect(complaints('wrong.service')).toContain('ProtectEverything');
    expect(complaints('wrong.service')).toContain('/nowhere/node');
  });

  it('look at a configuration before the process is asked to read it', () => {
    for (const role of ['server', 'client', 'dns', 'agent']) {
      const lines = read(`hsdo-${role}.service`).split('\n');
      const [check, signal] = lines.filter((line) => line.startsWith('ExecReload='));
      const start = lines.find((line) => line.startsWith('ExecStart='))?.split(`--${role} `)[1];
      const agent = role === 'agent' ? ' --agent' : '';
      expect(check).toBe(`ExecReload=/usr/bin/node /opt/hsdo/dist/main.js check-config${agent} ${start}`);
      expect(signal).toBe('ExecReload=/bin/kill -HUP $MAINPID');
    }
  });

  it('expect to be told that the process is ready and that it lives, as hsdo does', () => {
    for (const role of ['server', 'client', 'dns', 'agent']) {
      const lines = read(`hsdo-${role}.service`).split('\n');
      for (const line of ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=60']) expect(lines).toContain(line);
    }
  });

  it('leave little that a process which was broken into could do, by the reckoning of systemd', () => {
    const exposure = (file: string) =>
      spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=25', file], {
        encoding: 'utf8',
      });
    for (const role of ['server', 'client', 'dns', 'agent']) {
      const { status, stdout } = exposure(join(folder, `hsdo-${role}.service`));
      expect(`${status} ${stdout.trimEnd().split('\n').at(-1) ?? ''}`).toMatch(/^0 .*OK/);
    }
    writeFileSync(join(folder, 'open.service'), `[Service]\nExecStart=${process.execPath}\n`);
    expect(exposure(join(folder, 'open.service')).status).toBe(1);
  });

  it('run as hsdo, start again after a crash and not with a wrong configuration', () => {
    for (const role of ['server', 'client', 'dns']) {
      const unit = read(`hsdo-${role}.service`);
      expect(unit).toContain(`ExecStart=/usr/bin/node /opt/hsdo/dist/main.js --${role} --config /etc/hsdo/env.yaml\n`);
      for (const line of ['User=hsdo', 'Restart=always', 'RestartPreventExitStatus=78', 'StateDirectory=hsdo']) {
        expect(unit.split('\n')).toContain(line);
      }
    }
  });

  it('run an agent likewise, with a configuration of its own and nothing on disk', () => {
    const lines = read('hsdo-agent.service').split('\n');
    expect(lines).toContain('ExecStart=/usr/bin/node /opt/hsdo/dist/main.js --agent --config /etc/hsdo/agent.yaml');
    for (const line of ['User=hsdo', 'Restart=always', 'RestartPreventExitStatus=78', 'CapabilityBoundingSet='])
      expect(lines).toContain(line);
    expect(read('hsdo-agent.service')).not.toContain('StateDirectory');
  });

  it('let DNS alone have port 53, by the one capability for it or by a socket, over UDP and TCP alike', () => {
    const lines = (name: string) => read(name).split('\n');
    expect(lines('hsdo-dns.service')).toContain('AmbientCapabilities=CAP_NET_BIND_SERVICE');
    expect(lines('hsdo-dns.service')).toContain('CapabilityBoundingSet=CAP_NET_BIND_SERVICE');
    for (const role of ['server', 'client']) expect(lines(`hsdo-${role}.service`)).toContain('CapabilityBoundingSet=');
    const addresses = (option: string) =>
      lines('hsdo-dns.socket').flatMap((line) =>
        line.startsWith(`${option}=`) ? [line.slice(option.length + 1)] : [],
      );
    expect(addresses('ListenDatagram')).toEqual(['127.0.0.1:53', '[::1]:53']);
    expect(addresses('ListenStream')).toEqual(addresses('ListenDatagram'));
  });

  it('never keep HAProxy from starting', () => {
    const commands = read('haproxy.service.d/hsdo.conf').match(/^Exec.*$/gm) ?? [];
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatch(/^ExecStartPre=-\/usr\/bin\/timeout --kill-after=1 5 /);
  });
});
