/**
 * `npm test`: installs what is missing, builds, checks format, lint and types, and runs every test but the soak. The
 * last line says how many checks and tests passed, failed and were skipped. `npm test -- ARGS` hands ARGS to vitest
 * and leaves the checks out; `node scripts/test.mjs soak` runs the soak alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInForeground } from './child.mjs';
import { addCounts, countReport, exitCodeOf, skippedNames, summaryLine } from './count.mjs';
import { ensureBuilt, ensureNode, ensurePackages, ensurePrograms, InstallError, root, runScript } from './install.mjs';
import { leftovers, markName } from './leftovers.mjs';
import { programs } from './programs.mjs';

const isCi = process.env.CI === 'true';
const mark = `${process.pid}-${Date.now()}`;
const everyProject = ['unit', 'contract', 'scenario', 'integration', 'integration-alone', 'repo'];
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Name, command and arguments of what is checked besides the tests; each counts as one. */
const checks = [
  ['format and lint (npx biome check .)', bin('biome'), ['check', '.']],
  [
    'lint with types (npx oxlint --type-aware --deny-warnings src test)',
    bin('oxlint'),
    ['--type-aware', '--deny-warnings', 'src', 'test'],
  ],
  ['types (npm run typecheck)', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['types of the dashboard (npm run typecheck)', bin('tsc'), ['-p', 'src/dashboard/page']],
];

function report(name, isGood, output = '') {
  console.log(`${isGood ? ' ok ' : 'FAIL'} ${name}`);
  if (!isGood) console.log(output.trimEnd());
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, skipped: 0 };
}

function check([name, command, args]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return report(name, status === 0, error?.message ?? `${stdout}${stderr}`);
}

function checkBuild() {
  try {
    ensureBuilt();
    return report('build (npm run build)', true);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    return report('build (npm run build)', false, error.message);
  }
}

/** Runs vitest; resolves with its JSON report (undefined when it wrote none) and exit code. */
async function runTests(args, isBuilt) {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-test-'));
  const outputFile = join(folder, 'report.json');
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
    const env = { ...process.env, [markName]: mark, ...(isBuilt ? { HSDO_TEST_BUILT: '1' } : {}) };
    const exitCode = await runInForeground(process.execPath, [vitest, 'run', ...reporters, ...args], {
      cwd: root,
      env,
    });
    try {
      return { exitCode, found: JSON.parse(readFileSync(outputFile, 'utf8')) };
    } catch {
      return { exitCode, found: undefined };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A test that leaves a program running disturbs every test and measurement after it. */
function checkLeftovers() {
  const found = leftovers(mark);
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  const output = found.map(({ pid, command }) => `  ${pid} ${command}`).join('\n');
  return report('nothing is left running by the tests', found.length === 0, output);
}

/** Everything that the tests stand on; false when it is not there, which has been said by name. */
async function prepare() {
  try {
    ensureNode();
    ensurePackages();
    await ensurePrograms(Object.keys(programs).filter((name) => !programs[name].isForBench));
    return true;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    report('installation', false, error.message);
    return false;
  }
}

await runScript(async () => {
  const args = process.argv.slice(2);
  const isSoak = args[0] === 'soak';
  if (!(await prepare())) {
    console.log(summaryLine({ passed: 0, failed: 1, skipped: 0 }));
    return 1;
  }
  const built = checkBuild();
  const counts = [built];
  if (args.length === 0) counts.push(...checks.map(check));
  const projects = (isSoak ? ['soak'] : everyProject).flatMap((project) => ['--project', project]);
  const { exitCode, found } = await runTests([...projects, ...args.slice(isSoak ? 1 : 0)], built.failed === 0);
  const tests = countReport(found, exitCode);
  counts.push(checkLeftovers());
  const total = addCounts(...counts, tests);
  if (isCi && total.skipped > 0) {
    console.log(`CI=true: a skipped test is a failure.\n  ${skippedNames(found).join('\n  ')}`);
  }
  console.log(summaryLine(total));
  return tests.passed === 0 ? 1 : exitCodeOf(total, { maySkip: !isCi });
});
