/**
 * Installs packages on Debian 12 without changing how the machine's apt is set up: lists, cache, extra sources and pins
 * live in a folder that is removed afterwards, so a later `apt upgrade` knows nothing of the other releases.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const policyFile = '/usr/sbin/policy-rc.d';
const policyMark = '# written by the hsdo installer';
const meanwhileMark = '# added by the hsdo installer for as long as it runs';
const attempts = 3;
const pauseMs = 5_000;
const lockWaitSeconds = 300;
const commandTimeoutMs = 900_000;

function filesIn(folder) {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** The address from which this machine gets bookworm, out of deb822 (`URIs:`) or one-line sources. */
export function mirrorOf(texts) {
  for (const text of texts) {
    for (const paragraph of text.split(/\n\s*\n/)) {
      if (!/^Suites:.*\bbookworm(\s|$)/m.test(paragraph)) continue;
      const uri = /^URIs:\s*(\S+)/m.exec(paragraph)?.[1];
      if (uri !== undefined) return uri;
    }
    const oneLine = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+bookworm\s/m.exec(text)?.[1];
    if (oneLine !== undefined) return oneLine;
  }
  throw new Error('the sources of apt name no mirror of bookworm, expected one in /etc/apt/sources.list.d');
}

/** Pins that let one package of another release in and keep the rest of that release out, even as dependencies. */
export function pinsFor(pinned) {
  const closed = pinned.map(({ release }) => `Package: *\nPin: release n=${release}\nPin-Priority: -10\n`);
  const open = pinned.map(
    ({ package: name, release }) => `Package: ${name}\nPin: release n=${release}\nPin-Priority: 100\n`,
  );
  return [...closed, ...open].join('\n');
}

/** deb822 text of one more release from the same mirror. */
export function sourceFor(mirror, release) {
  return [
    'Types: deb',
    `URIs: ${mirror}`,
    `Suites: ${release}`,
    'Components: main',
    'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
    '',
  ].join('\n');
}

/** Fills a private folder with the machine's sources and ours; returns apt's options that point there. */
function writeSetup(root, pinned) {
  const folders = ['sources.list.d', 'preferences.d', 'lists/partial', 'cache/archives/partial'];
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  chmodSync(root, 0o755);
  const own = ['/etc/apt/sources.list', ...filesIn('/etc/apt/sources.list.d')].filter((file) => existsSync(file));
  const mirror = mirrorOf(own.map((file) => readFileSync(file, 'utf8')));
  const isOurs = (file) => /\/hsdo[^/]*$/.test(file);
  for (const file of filesIn('/etc/apt/sources.list.d').filter((file) => !isOurs(file))) {
    copyFileSync(file, join(root, 'sources.list.d', file.slice(file.lastIndexOf('/') + 1)));
  }
  for (const file of filesIn('/etc/apt/preferences.d').filter((file) => !isOurs(file))) {
    copyFileSync(file, join(root, 'preferences.d', file.slice(file.lastIndexOf('/') + 1)));
  }
  for (const { release } of pinned) {
    writeFileSync(join(root, 'sources.list.d', `hsdo-${release}.sources`), sourceFor(mirror, release));
  }
  if (pinned.length > 0) writeFileSync(join(root, 'preferences.d', 'hsdo'), pinsFor(pinned));
  const options = {
    'Dir::Etc::sourceparts': join(root, 'sources.list.d'),
    'Dir::Etc::preferencesparts': join(root, 'preferences.d'),
    'Dir::State::lists': join(root, 'lists'),
    'Dir::Cache': join(root, 'cache'),
    'Acquire::Retries': '3',
    'Acquire::http::Timeout': '30',
    'DPkg::Lock::Timeout': String(lockWaitSeconds),
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function run(args, logFile) {
  appendFileSync(logFile, `\n$ apt-get ${args.join(' ')}\n`);
  const result = spawnSync('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: commandTimeoutMs,
  });
  appendFileSync(
    logFile,
    `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? `${result.error.message}\n` : ''}`,
  );
  return result.status === 0;
}

/**
 * Keeps packages from starting daemons (Debian's invoke-rc.d asks this file); returns how to take that back. A file
 * that somebody else put there stays; one left behind by a killed run of ours is taken away at the end.
 */
function forbidDaemons() {
  if (!existsSync(policyFile)) {
    writeFileSync(policyFile, `#!/bin/sh\n${policyMark}\nexit 101\n`);
    chmodSync(policyFile, 0o755);
  }
  const isOurs = readFileSync(policyFile, 'utf8').includes(policyMark);
  return () => {
    if (isOurs) rmSync(policyFile, { force: true });
  };
}

/**
 * Adds a line to a settings file that packages read while they are installed; returns how to take that back. Where there
 * was no such file, the one that the package brings (`original`) takes its place in the end, as if we had never been
 * there; what a killed run of ours left behind is taken away, too.
 */
export function setMeanwhile({ file, line, original }) {
  const addition = `${meanwhileMark}\n${line}\n`;
  const before = existsSync(file) ? readFileSync(file, 'utf8').replaceAll(addition, '') : '';
  const madeFolder = mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${before}${addition}`);
  return () => {
    if (before !== '') writeFileSync(file, before);
    else if (existsSync(original)) copyFileSync(original, file);
    else rmSync(madeFolder ?? file, { recursive: true, force: true });
  };
}

/** Tries all at once, and where that fails one by one: what one mirror lacks shall not keep the others out. */
function installAll(groups, options, logFile) {
  const install = (packages) => run([...options, '-yq', 'install', '--no-install-recommends', ...packages], logFile);
  if (install(groups.flatMap(({ packages }) => packages))) return true;
  if (groups.length === 1) return false;
  return groups.map(({ packages }) => install(packages)).every((isDone) => isDone);
}

/**
 * Installs groups of Debian packages, as root. A group's `pinned` names a package that only another release has, as
 * `{package, release}`; `meanwhile` is a setting for the time of the installation. Tries three times, because mirrors fail in passing; waits up to five minutes for another apt
 * to finish. What apt said stands in `logFile`; what is there in the end is for the caller to look at.
 */
export async function aptInstall(groups, logFile) {
  const root = mkdtempSync('/var/tmp/hsdo-apt-');
  const undo = [forbidDaemons(), ...groups.flatMap(({ meanwhile }) => meanwhile ?? []).map(setMeanwhile)];
  const cleanUp = () => {
    for (const takeBack of undo) takeBack();
    rmSync(root, { recursive: true, force: true });
  };
  // A signal waits for apt-get to end (Ctrl-C ends it, too) and then leaves through 'exit', so nothing stays behind.
  const leave = () => process.exit(130);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  process.once('exit', cleanUp);
  for (const signal of signals) process.once(signal, leave);
  try {
    const pinned = groups.flatMap((group) => group.pinned ?? []);
    const options = writeSetup(root, pinned);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      // A source that has nothing to do with us may fail to update: only the installation decides.
      run([...options, '-q', 'update'], logFile);
      if (installAll(groups, options, logFile)) return;
      if (attempt < attempts) await delay(pauseMs);
    }
  } finally {
    process.off('exit', cleanUp);
    for (const signal of signals) process.off(signal, leave);
    cleanUp();
  }
}
