/** Finds what a run of tests left running: every program that tests start carries the mark of its run. */
import { readdirSync, readFileSync } from 'node:fs';

export const markName = 'HSDO_TEST_RUN';

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile, or is somebody else's.
    return '';
  }
};

/**
 * Processes with the mark, as `{ pid, command }`. Only where there is a /proc; elsewhere none are found.
 *
 * @param {string} mark - The run's own, in the environment of everything that it started.
 */
export function leftovers(mark) {
  const entries = process.platform === 'linux' ? readdirSync('/proc') : [];
  return entries
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(`${markName}=${mark}`))
    .map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}
