import { z } from 'zod';
import { createEmail, emailSchema } from './email.ts';
import { createModuleNotifier, moduleSchema } from './module.ts';
import type { Notifier } from './notifier.ts';
import type { NotifierContext } from './options.ts';
import { createTelegram, telegramSchema } from './telegram.ts';
import { createWebhook, webhookSchema } from './webhook.ts';

/** Every kind of notifier: its schema and what makes one. */
const kinds = [
  { schema: emailSchema, create: createEmail },
  { schema: moduleSchema, create: createModuleNotifier },
  { schema: telegramSchema, create: createTelegram },
  { schema: webhookSchema, create: createWebhook },
] as const;

type SchemasOf<T extends readonly { readonly schema: unknown }[]> = { readonly [N in keyof T]: T[N]['schema'] };

const schemas = kinds.map(({ schema }) => schema) as unknown as SchemasOf<typeof kinds>;

/** One of `notify`, told apart by `kind`. */
export const notifierSchema = z.discriminatedUnion('kind', schemas);

export type NotifierConfig = z.output<typeof notifierSchema>;

/** Makes the notifier that a parsed entry describes. It touches nothing outside before its first `notify` or `run`. */
export function createNotifier(config: NotifierConfig, context: NotifierContext): Notifier {
  const kind = kinds.find(({ schema }) => schema.shape.kind.value === config.kind);
  // The schema has matched the kind already; what the map cannot tell the compiler is that both belong together.
  const create = kind?.create as ((config: NotifierConfig, context: NotifierContext) => Notifier) | undefined;
  if (create === undefined) throw new TypeError(`no notifier is of kind ${config.kind}`);
  return create(config, context);
}
