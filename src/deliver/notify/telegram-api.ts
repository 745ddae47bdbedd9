import { z } from 'zod';
import { jsonIn } from '../../http/http-call.ts';
import { HsdoError } from '../../model/error.ts';
import type { Secret } from '../../model/secret.ts';
import { notifyCall } from './notify-call.ts';

const chat = z.object({ id: z.int(), type: z.string().optional(), title: z.string().optional() });

const message = z.object({
  chat,
  text: z.string().optional(),
  from: z.object({ id: z.int(), username: z.string().optional() }).optional(),
  migrate_to_chat_id: z.int().optional(),
});

const membership = z.object({ chat, new_chat_member: z.object({ status: z.string() }) });

const update = z.object({
  update_id: z.int(),
  message: message.optional().catch(undefined),
  my_chat_member: membership.optional().catch(undefined),
});

export type Update = z.output<typeof update>;

const envelope = z.object({
  ok: z.boolean(),
  result: z.unknown().optional(),
  error_code: z.int().optional(),
  description: z.string().optional(),
  parameters: z
    .object({ retry_after: z.number().optional(), migrate_to_chat_id: z.int().optional() })
    .optional()
    .catch(undefined),
});

/** What became of a message to one chat. */
export type Sent =
  | { readonly outcome: 'sent' }
  /** The chat will never take one again: it blocked the bot, removed it, or is no more. */
  | { readonly outcome: 'gone'; readonly reason: string }
  /** This text will never be taken by this chat. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** The group has another id from now on. */
  | { readonly outcome: 'moved'; readonly to: number }
  | { readonly outcome: 'failed'; readonly error: HsdoError };

/** The part of Telegram's Bot API (core.telegram.org/bots/api) that a notifier needs. Its URLs hold the token, so none is ever shown. */
export interface TelegramApi {
  /** The name of the bot that the token is for. */
  me(signal: AbortSignal): Promise<string>;
  /** Sends plain text of 1 to 4096 characters; never throws but for an abort. */
  send(chatId: number, text: string, signal: AbortSignal): Promise<Sent>;
  /** Waits up to `waitSeconds` for what is newer than `offset`, and acknowledges everything before it. */
  updates(offset: number, waitSeconds: number, signal: AbortSignal): Promise<readonly Update[]>;
}

const longestRetryMs = 3_600_000;
/** Twenty messages of the longest text, each character written as an escape, are half of that. */
const mostBytes = 1_048_576;
/** A chat is lost for good with these words of a 400; another 400 speaks of the message. */
const goneWords = /chat not found|user not found|group chat was deactivated|PEER_ID_INVALID/i;

/** @param options - `what` begins the messages of failures, such as `Cannot notify "ops"`. */
export function createTelegramApi(options: {
  readonly what: string;
  readonly baseUrl: string;
  readonly token: Secret;
}): TelegramApi {
  const { what, baseUrl, token } = options;

  async function call(method: string, body: unknown, signal: AbortSignal): Promise<z.output<typeof envelope>> {
    const url = `${baseUrl.replace(/\/+$/, '')}/bot${token.reveal()}/${method}`;
    const headers = { 'Content-Type': 'application/json' };
    const request = { url, method: 'POST', headers, body: JSON.stringify(body), mostBytes } as const;
    const answer = await notifyCall(what, request, signal);
    const parsed = envelope.safeParse(jsonIn(answer.body));
    if (parsed.success) return parsed.data;
    const said = `${what}: ${method} was answered with ${answer.status} and no answer of Telegram's`;
    throw new HsdoError(answer.status === 404 ? 'rejected' : 'unavailable', said, answer);
  }

  function failure(method: string, { error_code: code = 0, description, parameters }: z.output<typeof envelope>) {
    const said = `${what}: ${method} was refused with ${code} (${(description ?? '').slice(0, 200)})`;
    const retryAfterMs =
      parameters?.retry_after === undefined ? undefined : Math.min(longestRetryMs, parameters.retry_after * 1000);
    const isPassing = code === 429 || code === 409 || code >= 500 || code === 0;
    return new HsdoError(isPassing ? 'unavailable' : 'rejected', said, { retryAfterMs });
  }

  return {
    async me(signal) {
      const answer = await call('getMe', {}, signal);
      if (!answer.ok) throw failure('getMe', answer);
      const bot = z.object({ username: z.string().regex(/^\w{1,64}$/) }).safeParse(answer.result);
      if (bot.success) return bot.data.username;
      throw new HsdoError('unavailable', `${what}: getMe was answered without the name of a bot`);
    },
    async send(chatId, text, signal) {
      // Without parse_mode nothing in a text has a meaning, so no name of a target can make it unacceptable.
      const body = {
        chat_id: chatId,
        text: text.replaceAll(/\p{Surrogate}/gu, '\uFFFD'),
        link_preview_options: { is_disabled: true },
      };
      try {
        const answer = await call('sendMessage', body, signal);
        if (answer.ok) return { outcome: 'sent' };
        const { error_code: code, description = '', parameters } = answer;
        if (parameters?.migrate_to_chat_id !== undefined)
          return { outcome: 'moved', to: parameters.migrate_to_chat_id };
        if (code === 403 || (code === 400 && goneWords.test(description)))
          return { outcome: 'gone', reason: description };
        if (code === 400) return { outcome: 'refused', reason: description };
        return { outcome: 'failed', error: failure('sendMessage', answer) };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof HsdoError)) throw error;
        return { outcome: 'failed', error };
      }
    },
    async updates(offset, waitSeconds, signal) {
      const body = { offset, timeout: waitSeconds, limit: 20, allowed_updates: ['message', 'my_chat_member'] };
      const answer = await call('getUpdates', body, signal);
      if (!answer.ok) throw failure('getUpdates', answer);
      const found = z.array(z.unknown()).safeParse(answer.result);
      return (found.data ?? []).flatMap((one) => {
        const parsed = update.safeParse(one);
        return parsed.success ? [parsed.data] : [];
      });
    },
  };
}
