import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './package-folder.ts';

/** The version in package.json, the only place where it is written. */
export const version: string = String(
  (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: unknown }).version,
);
