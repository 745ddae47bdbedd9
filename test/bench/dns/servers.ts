import { Resolver } from 'node:dns/promises';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../fixtures/ports.ts';
import { startProgram } from '../../fixtures/program.ts';
import { until } from '../../fixtures/until.ts';
import { type BenchZone, firstLabel, zoneFile } from './zone.ts';

export const host = '127.0.0.1';

/** A name server at {@link host}. */
export interface DnsServer {
  readonly port: number;
  /** All of its processes. */
  pids(): number[];
  stop(): Promise<void>;
}

/** The processor that a server has for itself; the other one is the generator's. */
export const [serverCore, generatorCore] = [0, 1];

/** A process and all that it started (proc(5): children). */
function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

/** Starts a server on one processor and waits until it answers for the zone. `command` puts its settings into a folder. */
export async function startServer(
  zone: BenchZone,
  core: number,
  command: (folder: string, port: number) => readonly [string, ...string[]],
): Promise<DnsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-bench-'));
  const port = await freePort();
  const words = command(folder, port);
  const program = startProgram('taskset', ['--cpu-list', String(core), ...words]);
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`${host}:${port}`]);
  const last = zone.names.at(-1)?.name ?? zone.domain;
  const stop = async () => {
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(`${words[0]} answers`, async () => {
      if (!program.isRunning()) throw new Error(program.output());
      return resolver.resolve4(last);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pids: () => familyOf(program.pid), stop };
}

/** gdnsd as Debian has it, with one thread for UDP; several addresses come from its plug-in `multifo`, which rotates. */
export function startGdnsd(zone: BenchZone, core = serverCore): Promise<DnsServer> {
  return startServer(zone, core, (folder, port) => {
    for (const name of ['zones', 'run', 'state']) mkdirSync(join(folder, name));
    const isDynamic = zone.names.some(({ addresses }) => addresses.length > 1);
    const groups = zone.names.map((asked) => `${firstLabel(asked)} => [ ${asked.addresses.join(', ')} ]`);
    const config = [
      `options => { listen => ${host}:${port}, udp_threads => 1, tcp_threads => 1,`,
      `  run_dir => ${join(folder, 'run')}, state_dir => ${join(folder, 'state')} }`,
      ...(isDynamic ? ['plugins => { multifo => {', 'service_types => up', ...groups, '} }'] : []),
      '',
    ];
    writeFileSync(join(folder, 'config'), config.join('\n'));
    const text = isDynamic ? zoneFile(zone, (asked) => [`DYNA multifo!${firstLabel(asked)}`]) : zoneFile(zone);
    writeFileSync(join(folder, 'zones', zone.domain), text);
    return ['gdnsd', '-c', folder, 'start'];
  });
}

/** NSD as Debian has it, with one server process, minimal responses and without its limit of equal responses. */
export function startNsd(zone: BenchZone, core = serverCore): Promise<DnsServer> {
  return startServer(zone, core, (folder, port) => {
    const config = [
      'server:',
      `  ip-address: ${host}@${port}`,
      '  server-count: 1',
      '  username: ""',
      '  chroot: ""',
      `  zonesdir: "${folder}"`,
      '  database: ""',
      `  pidfile: "${join(folder, 'pid')}"`,
      `  zonelistfile: "${join(folder, 'zone.list')}"`,
      `  xfrdfile: "${join(folder, 'xfrd.state')}"`,
      `  xfrdir: "${folder}"`,
      '  minimal-responses: yes',
      '  rrl-ratelimit: 0',
      '  rrl-whitelist-ratelimit: 0',
      'remote-control:',
      '  control-enable: no',
      'zone:',
      `  name: ${zone.domain}`,
      '  zonefile: zone',
      '',
    ];
    writeFileSync(join(folder, 'nsd.conf'), config.join('\n'));
    writeFileSync(join(folder, 'zone'), `$ORIGIN ${zone.domain}.\n${zoneFile(zone)}`);
    return ['nsd', '-d', '-c', join(folder, 'nsd.conf')];
  });
}

const dnsmasqOptions = (port: number) =>
  [
    ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root', '--pid-file='],
    ...[`--port=${port}`, `--listen-address=${host}`, '--bind-interfaces'],
  ] as const;

/** dnsmasq as Debian has it, with the zone in a file of hosts. */
export function startDnsmasq(zone: BenchZone, core = serverCore): Promise<DnsServer> {
  return startServer(zone, core, (folder, port) => {
    const lines = zone.names.flatMap(({ name, addresses }) => addresses.map((address) => `${address} ${name}\n`));
    writeFileSync(join(folder, 'hosts'), lines.join(''));
    const own = [`--addn-hosts=${join(folder, 'hosts')}`, `--local=/${zone.domain}/`];
    return ['dnsmasq', ...dnsmasqOptions(port), ...own];
  });
}

/** dnsmasq without a cache in front of another server; as many questions under way as come. */
export function startForwardingDnsmasq(zone: BenchZone, upstream: number, core = serverCore): Promise<DnsServer> {
  const own = [`--server=${host}#${upstream}`, '--cache-size=0', '--dns-forward-max=5000'];
  return startServer(zone, core, (_, port) => ['dnsmasq', ...dnsmasqOptions(port), ...own]);
}
