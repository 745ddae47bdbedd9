import { z } from 'zod';
import { extensionError, lazyExtension } from '../../extension/load.ts';
import { HsdoError } from '../../model/error.ts';
import { commonOptions, type SwitcherContext } from './options.ts';
import type { Switcher } from './switcher.ts';

export const moduleSchema = z.strictObject({
  kind: z.literal('module'),
  ...commonOptions,
  /** A file of JavaScript or TypeScript that exports createSwitcher; a relative one starts from the working directory. */
  path: z.string().min(1),
  /** What createSwitcher is given. */
  options: z.record(z.string(), z.unknown()).default({}),
});

/** Switches by a file of the user's own (see src/extension). */
export function createModuleSwitcher(
  config: z.output<typeof moduleSchema>,
  { service, domain }: SwitcherContext,
): Switcher {
  const context = { name: service, ...(domain === undefined ? {} : { domain }) };
  const extension = lazyExtension('createSwitcher', config, context);
  const what = `Extension "${config.path}"`;
  const ask = async <T>(question: string, signal: AbortSignal, call: () => Promise<T>) => {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      throw extensionError(`${what} could not ${question}`, error);
    }
  };
  return {
    current: (signal) =>
      ask('tell the current entry point', signal, async () => {
        const entry: unknown = await (await extension()).current(signal);
        if (entry === undefined || entry === null || entry === '') return undefined;
        if (typeof entry === 'string') return entry;
        throw new HsdoError('unavailable', `${what} answered ${typeof entry}, expected a name, an address or nothing`);
      }),
    switchTo: (entry, signal) =>
      ask(`switch to ${JSON.stringify(entry.name)}`, signal, async () => (await extension()).switchTo(entry, signal)),
  };
}
