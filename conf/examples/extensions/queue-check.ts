// A check of your own: up while the worker's queue is short enough. Named in the configuration as
//   check: {kind: module, path: conf/examples/extensions/queue-check.ts, options: {maxWaiting: 100}}
import type { CheckExtension, ExtensionContext } from '../../../src/extension/extension.ts';

export function createCheck(options: { maxWaiting?: number }, _context: ExtensionContext): CheckExtension {
  const { maxWaiting = 100 } = options;
  return {
    async check({ address, port = 80 }, signal) {
      const answer = await fetch(`http://${address}:${port}/queue`, { signal });
      const { waiting } = (await answer.json()) as { waiting: number };
      return { up: waiting <= maxWaiting, reason: `${waiting} jobs wait, at most ${maxWaiting} are well` };
    },
  };
}
