/**
 * Gets a bare clone ready: what `npm start`, `npm test` and `npm run bench` share. Plain JavaScript without
 * dependencies, silent when nothing is to be done. `node scripts/install.mjs haproxy consul` installs programs alone.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from './apt.mjs';
import { adviceFor, isBookworm, isInstalled, programs } from './programs.mjs';

/** The folder of the clone. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const oldestNode = [20, 19];
/** Only root installs programs, and a clone that belongs to somebody else shall not get files of root. */
const aptLog = '/var/log/hsdo-apt.log';

/** What a person has to put right; shown as one message without a stack. */
export class InstallError extends Error {}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function tailOf(file, lines = 15) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

function logFile(folder, name) {
  mkdirSync(join(folder, '.hsdo'), { recursive: true });
  return join(folder, '.hsdo', `${name}.log`);
}

/** Runs a command with its output in a log file; throws with the end of that log when it fails. */
function runLogged(command, args, { cwd, log, shown }) {
  const file = openSync(log, 'w');
  const result = spawnSync(command, args, { cwd, stdio: ['ignore', file, file] });
  closeSync(file);
  if (result.status === 0) return;
  const why = result.error?.message ?? tailOf(log);
  throw new InstallError(`"${shown}" failed in ${cwd}:\n${why}\nThe whole output is in ${log}.`);
}

/** Throws unless `version` is at least the Node release that package.json asks for. */
export function ensureNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new InstallError(
    `hsdo needs Node ${oldestNode.join('.')} or newer; this is Node ${version} (${process.execPath}).`,
  );
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * True when node_modules holds what package-lock.json names. Compares npm's own record of what it installed, which npm
 * writes last: a broken-off installation has none. Optional packages may be missing, they are for other systems.
 */
export function packagesAreInstalled(folder = root) {
  const wanted = readJson(join(folder, 'package-lock.json'))?.packages ?? {};
  const found = readJson(join(folder, 'node_modules', '.package-lock.json'))?.packages;
  if (found === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || found[path]?.version === entry.version,
  );
}

/** Installs the npm packages of package-lock.json when they are missing or others. */
export function ensurePackages(folder = root) {
  if (packagesAreInstalled(folder)) return;
  say('Installing npm packages (npm ci) ...');
  const log = logFile(folder, 'npm-ci');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  runLogged('npm', args, { cwd: folder, log, shown: `npm ${args.join(' ')}` });
}

/** The newest change below a folder, in milliseconds; folders count too, so that a deleted file is a change. */
function newestChangeMs(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChangeMs(join(path, name))), stats.mtimeMs);
}

/** True when dist/ was built from the sources as they are. */
export function buildIsFresh(folder = root) {
  const builtFrom = Number(readJson(join(folder, 'dist', '.built'))?.sourcesChangedAt ?? -1);
  return builtFrom >= sourcesChangedAt(folder);
}

function sourcesChangedAt(folder) {
  const inputs = ['src', 'tsconfig.json', 'tsconfig.build.json', 'vite.config.ts', 'package-lock.json'];
  return Math.max(...inputs.map((name) => newestChangeMs(join(folder, name))));
}

/**
 * Builds dist/ out of src/ when a source is newer and its types are right. Builds beside it and swaps at the end: dist/ is
 * never half new, and holds nothing whose source is gone.
 */
export function ensureBuilt(folder = root) {
  if (buildIsFresh(folder)) return;
  say('Building dist/ ...');
  const stamp = { sourcesChangedAt: sourcesChangedAt(folder) };
  const fresh = join(folder, `dist.new-${process.pid}`);
  const old = join(folder, `dist.old-${process.pid}`);
  const tsc = join('typescript', 'bin', 'tsc');
  const vite = join('vite', 'bin', 'vite.js');
  const page = join('src', 'dashboard', 'page');
  const step = (name, program, args) => {
    const log = logFile(folder, name);
    const words = [join(folder, 'node_modules', program), ...args];
    runLogged(process.execPath, words, { cwd: folder, log, shown: 'npm run build' });
  };
  try {
    step('build-types', tsc, ['-p', 'tsconfig.build.json']);
    step('build', vite, ['build', '--outDir', fresh, '--logLevel', 'warn']);
    // A folder without its sources has none.
    if (statSync(join(folder, page), { throwIfNoEntry: false }))
      step('build-page', vite, ['build', page, '--outDir', join(fresh, 'dashboard', 'public'), '--logLevel', 'warn']);
    // `npm link` made the former one executable: whoever typed it must find `hsdo` working after every build.
    chmodSync(join(fresh, 'main.js'), 0o755);
    writeFileSync(join(fresh, '.built'), JSON.stringify(stamp));
    if (statSync(join(folder, 'dist'), { throwIfNoEntry: false })) renameSync(join(folder, 'dist'), old);
    renameSync(fresh, join(folder, 'dist'));
  } finally {
    for (const path of [fresh, old]) rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Installs the named programs where they are missing: by apt as root on Debian 12. Elsewhere, and when apt fails, says
 * what to type and resolves with the names still missing; with CI=true, or `required`, it throws instead.
 */
export async function ensurePrograms(names, { required = process.env.CI === 'true' } = {}) {
  const wanted = names.filter((name) => !isInstalled(name));
  if (wanted.length === 0) return [];
  let log;
  if (isBookworm() && process.getuid?.() === 0) {
    say(`Installing ${wanted.join(', ')} (apt-get) ...`);
    log = aptLog;
    writeFileSync(log, '');
    const groups = wanted.map((name) => programs[name]);
    const note = (error) => appendFileSync(log, `${error.message}\n`);
    await aptInstall(groups, log).catch(note);
  }
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return [];
  const failure = log === undefined ? '' : `\napt-get failed:\n${tailOf(log)}\nThe whole output is in ${log}.`;
  const message = `Missing: ${missing.join(', ')}. To get it: ${adviceFor(missing)}${failure}`;
  if (required) throw new InstallError(message);
  say(message);
  return missing;
}

/** Runs a script's body: an {@link InstallError} becomes its message and exit code 1, anything else is a bug. */
export async function runScript(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    ensureNode();
    const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(programs);
    await ensurePrograms(names, { required: true });
    say(`Ready: ${names.join(', ')} (${relative(process.cwd(), root) || '.'})`);
    return 0;
  });
}
