/** Adds up what a test run found, so that the last line of `npm test` is the truth about all of it. */

/** One line of the summary; the exact form is read by machines. */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Sum of several counts. */
export function addCounts(...counts) {
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/**
 * Counts a report in vitest's JSON form. A file that broke outside its tests (it did not load, a hook threw) has failed
 * tests nowhere, so the file itself counts as one failure; a failing exit code without any failure found (an error
 * that nobody caught, no report at all) counts as one, too.
 */
export function countReport(report, exitCode) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report?.testResults ?? []) {
    const failedBefore = count.failed;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') count.passed += 1;
      else if (test.status === 'failed') count.failed += 1;
      else count.skipped += 1;
    }
    if (file.status === 'failed' && count.failed === failedBefore) count.failed += 1;
  }
  if (exitCode !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

/** Full names of the tests that did not run. */
export function skippedNames(report) {
  const tests = (report?.testResults ?? []).flatMap((file) => file.assertionResults);
  return tests.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ fullName }) => fullName);
}

/** 0 only when nothing failed and, where skipping is no option, nothing was skipped. */
export function exitCodeOf(count, { maySkip }) {
  return count.failed > 0 || (count.skipped > 0 && !maySkip) ? 1 : 0;
}
