/**
 * The programs that tests and demo run for real, and how a person gets them where this project cannot install them
 * itself. Plain JavaScript: it runs before any package is there.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const pythonPackages = '/usr/lib/python3/dist-packages';
const postgresFolder = '/usr/lib/postgresql/15/bin';

/**
 * name: how it is found, which Debian packages bring it, and which Debian release has them when bookworm has not.
 * `isForBench` are those that only `npm run bench` starts. `meanwhile` is a setting for the time of the installation, see apt.mjs.
 * The tests start moto by Debian's own Python, so its modules are looked for there and nowhere else.
 */
export const programs = {
  haproxy: { command: 'haproxy', packages: ['haproxy'] },
  consul: { command: 'consul', packages: ['consul'], pinned: { package: 'consul', release: 'bullseye' } },
  etcd: { command: 'etcd', packages: ['etcd-server', 'etcd-client'] },
  moto: {
    files: ['/usr/bin/python3', ...['moto', 'flask_cors', 'yaml'].map((name) => join(pythonPackages, name))],
    packages: ['python3-moto', 'python3-flask-cors', 'python3-yaml'],
    pinned: { package: 'python3-moto', release: 'trixie' },
  },
  openssl: { command: 'openssl', packages: ['openssl'] },
  postgres: {
    files: ['postgres', 'initdb', 'pg_ctl', 'pg_basebackup', 'psql'].map((name) => join(postgresFolder, name)),
    packages: ['postgresql-15'],
    // Else the package makes a database of its own, which nobody asked for.
    meanwhile: {
      file: '/etc/postgresql-common/createcluster.conf',
      line: 'create_main_cluster = false',
      original: '/usr/share/postgresql-common/createcluster.conf',
    },
  },
  'redis-server': { command: 'redis-server', packages: ['redis-server'] },
  'redis-sentinel': { command: 'redis-sentinel', packages: ['redis-sentinel'] },
  ping: { command: 'ping', packages: ['iputils-ping'] },
  ip: { command: 'ip', packages: ['iproute2'] },
  nft: { command: 'nft', packages: ['nftables'] },
  dig: { command: 'dig', packages: ['bind9-dnsutils'] },
  kdig: { command: 'kdig', packages: ['knot-dnsutils'] },
  drill: { command: 'drill', packages: ['ldnsutils'] },
  dnsmasq: { command: 'dnsmasq', packages: ['dnsmasq-base'] },
  gdnsd: { command: 'gdnsd', packages: ['gdnsd'], isForBench: true },
  nsd: { command: 'nsd', packages: ['nsd'], isForBench: true },
  'systemd-socket-activate': { command: 'systemd-socket-activate', packages: ['systemd'] },
  'systemd-analyze': { command: 'systemd-analyze', packages: ['systemd'] },
  chromium: { command: 'chromium', packages: ['chromium'] },
  promtool: { command: 'promtool', packages: ['prometheus'] },
  zsh: { command: 'zsh', packages: ['zsh'] },
  fish: { command: 'fish', packages: ['fish'] },
  groff: { command: 'groff', packages: ['groff-base'] },
};

function isOnPath(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter(
    (folder) => folder !== '',
  );
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** True when the program can be started as it is. */
export function isInstalled(name) {
  const program = programs[name];
  if (program === undefined)
    throw new Error(`unknown program "${name}", wanted one of ${Object.keys(programs).join(', ')}`);
  return program.command === undefined ? program.files.every((file) => existsSync(file)) : isOnPath(program.command);
}

/** True on Debian 12, the only system whose package names and releases {@link programs} speaks of. */
export function isBookworm() {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return /^ID="?debian"?$/m.test(text) && /^VERSION_ID="?12"?$/m.test(text);
  } catch {
    return false;
  }
}

/** What to type to get the named programs, for this system as far as it is known. */
export function adviceFor(names) {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (isBookworm()) return `${sudo}${process.execPath} scripts/install.mjs ${names.join(' ')}`;
  if (process.platform === 'darwin' && names.every((name) => name === 'haproxy')) return 'brew install haproxy';
  const packages = names.flatMap((name) => programs[name].packages);
  return `install these with your package manager (names as in Debian): ${packages.join(' ')}`;
}
