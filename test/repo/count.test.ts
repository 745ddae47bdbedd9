import { describe, expect, it } from 'vitest';
import { addCounts, countReport, exitCodeOf, skippedNames, summaryLine } from '../../scripts/count.mjs';

const test = (status: string, fullName = 'a test') => ({ status, fullName });
const file = (status: string, ...assertionResults: object[]) => ({ status, assertionResults });

describe('the last line of npm test', () => {
  it('has the form that machines read', () => {
    expect(summaryLine({ passed: 12, failed: 0, skipped: 3 })).toBe('12 passed, 0 failed, 3 skipped');
  });

  it('counts every test by what became of it', () => {
    const report = {
      testResults: [
        file('passed', test('passed'), test('pending', 'later')),
        file('failed', test('failed'), test('todo', 'never')),
      ],
    };
    expect(countReport(report, 1)).toEqual({ passed: 1, failed: 1, skipped: 2 });
    expect(skippedNames(report)).toEqual(['later', 'never']);
  });

  it('counts a file that broke outside its tests, and an error that belongs to none', () => {
    expect(countReport({ testResults: [file('failed'), file('passed', test('passed'))] }, 1)).toMatchObject({
      failed: 1,
    });
    expect(countReport({ testResults: [file('passed', test('passed'))] }, 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(countReport(undefined, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('ends well only without a failure, and on CI only without a skip', () => {
    const count = addCounts({ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 0, skipped: 1 });
    expect(count).toEqual({ passed: 3, failed: 0, skipped: 1 });
    expect(exitCodeOf(count, { maySkip: true })).toBe(0);
    expect(exitCodeOf(count, { maySkip: false })).toBe(1);
    expect(exitCodeOf({ passed: 3, failed: 1, skipped: 0 }, { maySkip: true })).toBe(1);
  });
});
