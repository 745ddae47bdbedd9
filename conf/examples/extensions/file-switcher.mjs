// A switcher of your own, in JavaScript: the address of the active entry point stands in a file. Named in the configuration as
//   switch: {kind: module, path: conf/examples/extensions/file-switcher.mjs, options: {file: /run/active}}
import { readFile, rename, writeFile } from 'node:fs/promises';

/**
 * @param {{file: string}} options
 * @param {import('../../../src/extension/extension.ts').ExtensionContext} _context
 * @returns {import('../../../src/extension/extension.ts').SwitcherExtension}
 */
export function createSwitcher({ file }, _context) {
  return {
    async current(signal) {
      try {
        const text = await readFile(file, { encoding: 'utf8', signal });
        return text.trim() || undefined;
      } catch (error) {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async switchTo(entry, signal) {
      await writeFile(`${file}.new`, `${entry.address}\n`, { signal });
      await rename(`${file}.new`, file);
    },
  };
}
