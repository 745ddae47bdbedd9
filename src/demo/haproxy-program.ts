import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { HsdoError } from '../model/error.ts';

/** PATH, and where Debian keeps haproxy: an ordinary account's PATH does not look there. */
const usualFolders = () => [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];

/**
 * The whole path of the haproxy that is installed here.
 *
 * @throws HsdoError `unavailable`, naming the command that installs it.
 */
export function findHaproxy(folders: readonly string[] = usualFolders()): string {
  for (const folder of folders) {
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
