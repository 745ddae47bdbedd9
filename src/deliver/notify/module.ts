import { z } from 'zod';
import { extensionError, lazyExtension } from '../../extension/load.ts';
import type { Notifier } from './notifier.ts';
import { commonOptions, type NotifierContext, notifierName } from './options.ts';

export const moduleSchema = z.strictObject({
  kind: z.literal('module'),
  name: notifierName,
  ...commonOptions,
  /** A file of JavaScript or TypeScript that exports createNotifier; a relative one starts from the working directory. */
  path: z.string().min(1),
  /** What createNotifier is given. */
  options: z.record(z.string(), z.unknown()).default({}),
});

/** Tells by a file of the user's own (see src/extension). */
export function createModuleNotifier(config: z.output<typeof moduleSchema>, { name }: NotifierContext): Notifier {
  const extension = lazyExtension('createNotifier', config, { name });
  return {
    async notify(notice, signal) {
      try {
        await (await extension()).notify(notice, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw extensionError(`Extension "${config.path}" could not tell "${notice.title}"`, error);
      }
    },
  };
}
