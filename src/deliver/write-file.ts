import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

let count = 0;

/** Where a new text stands, whole, until the disk has it: see `replaceFile`. */
export function pathOfNext(path: string): string {
  return `${path}.next`;
}

/**
 * Replaces a file in one step: whoever reads it, and whatever is cut off when, it is the old text or the new one, after a
 * power cut as well. `mode` is that of the new file. Rejects with the system's own error.
 *
 * With `onWritten` the new text stands under `pathOfNext` before the disk has it, and `onWritten` says so: from then on
 * the death of this process loses nothing. A power cut may still leave that file broken, and the old text beside it. One
 * process may do so at a time.
 */
export async function replaceFile(path: string, text: string, mode: number, onWritten?: () => void): Promise<void> {
  count += 1;
  const draft = `${path}.${process.pid}.${count}.tmp`;
  const next = onWritten ? pathOfNext(path) : draft;
  try {
    const file = await open(draft, 'w', mode);
    try {
      await file.writeFile(text);
      if (onWritten) {
        await rename(draft, next);
        onWritten();
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(next, path);
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
