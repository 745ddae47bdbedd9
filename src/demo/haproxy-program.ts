import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { HsdoError } from '../model/error.ts';

/** Debian keeps haproxy where the PATH of an ordinary account does not look. */
const beyondPath = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/**
 * The whole path of the haproxy that is installed here.
 *
 * @throws HsdoError `unavailable`, naming the command that installs it.
 */
export function findHaproxy(path: string = process.env['PATH'] ?? ''): string {
  for (const folder of [...path.split(delimiter), ...beyondPath]) {
    const program = join(folder, 'haproxy');
    try {
      if (folder === '') continue;
      accessSync(program, constants.X_OK);
      return program;
    } catch {
      // Not in this folder.
    }
  }
  throw new HsdoError(
    'unavailable',
    'Cannot start the demo: haproxy is not installed. To get it: apt-get install haproxy (as root)',
  );
}
