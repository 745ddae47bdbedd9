import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where hsdo's own package.json lies: what is built is one file, and the sources are many, at other depths below it. */
export const packageFolder: string = folderAbove(import.meta.dirname);

/** Whether this is the built program, and not the sources as they are. */
export const isBuilt: boolean = !import.meta.filename.endsWith('.ts');

function folderAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error(`no package.json above ${import.meta.dirname}, expected that of hsdo`);
  return folderAbove(above);
}
