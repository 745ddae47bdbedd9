// A notifier of your own, in JavaScript: one line a notice at the end of a file. Named in the configuration as
//   notify: [{kind: module, name: lines, path: conf/examples/extensions/line-notifier.mjs, options: {file: /var/log/hsdo-notices}}]
import { appendFile } from 'node:fs/promises';

/**
 * @param {{file: string}} options
 * @param {import('../../../src/extension/extension.ts').ExtensionContext} context
 * @returns {import('../../../src/extension/extension.ts').NotifierExtension}
 */
export function createNotifier({ file }, { name }) {
  return {
    async notify({ id, title, events }) {
      const kinds = events.map(({ kind }) => kind).join(' ');
      await appendFile(file, `${name} ${id} ${kinds}: ${title}\n`);
    },
  };
}
