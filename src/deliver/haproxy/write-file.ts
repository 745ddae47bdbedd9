import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

let count = 0;

/**
 * Replaces a file in one step: whoever reads it, and whatever is cut off when, it is the old text or the new one.
 * `mode` is that of the new file. Rejects with the system's own error.
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  count += 1;
  const draft = `${path}.${process.pid}.${count}.tmp`;
  try {
    const file = await open(draft, 'w', mode);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
