import { z } from 'zod';
import { describeError, HsdoError, hasCode } from '../../model/error.ts';
import { createStreak } from '../../telemetry/log.ts';
import { createBackoff } from '../../time/backoff.ts';
import { withDeadline } from '../../time/deadline.ts';
import { pause } from '../../time/every.ts';
import { headlineOf, linesOf } from './compose.ts';
import type { Notifier } from './notifier.ts';
import { commonOptions, httpUrl, type NotifierContext, notifierName, secretText } from './options.ts';
import { createTelegramApi, type TelegramApi } from './telegram-api.ts';
import { type Chat, type Chats, createChats, partsOf, withParts } from './telegram-chats.ts';
import { createJoining } from './telegram-joining.ts';

export const telegramSchema = z.strictObject({
  kind: z.literal('telegram'),
  name: notifierName.default('telegram-anon'),
  /** Of the bot, as @BotFather gave it. */
  token: secretText(8),
  /** What a chat says to be told. */
  joinCode: secretText(4),
  baseUrl: httpUrl.default('https://api.telegram.org'),
  /** How long one question for news waits. */
  pollSeconds: z.int().min(0).max(50).default(25),
  ...commonOptions,
});

export type TelegramConfig = z.output<typeof telegramSchema>;

/** Telegram takes 4096 UTF-16 units; the number of a part comes to these. */
const mostChars = 4000;
const answerGraceMs = 10_000;
/** Between two questions for news that were answered without any. */
const leastPollMs = 1000;

/** The text in parts of at most `most` UTF-16 units, cut at ends of lines, and where a line is longer than a part, between characters. */
export function splitText(text: string, most = mostChars): readonly string[] {
  const parts: string[] = [];
  let part = '';
  for (const line of text.split('\n')) {
    let rest = line;
    if (part !== '' && part.length + 1 + rest.length <= most) {
      part += `\n${rest}`;
      continue;
    }
    if (part !== '') parts.push(part);
    while (rest.length > most) {
      const isPair = /[\uD800-\uDBFF]/.test(rest[most - 1] ?? '');
      const at = isPair ? most - 1 : most;
      parts.push(rest.slice(0, at));
      rest = rest.slice(at);
    }
    part = rest;
  }
  if (part !== '') parts.push(part);
  return parts;
}

/** Sends what each chat has not yet, and remembers at once what it has. */
function createTelling(options: {
  readonly api: TelegramApi;
  readonly chats: Chats;
  readonly context: NotifierContext;
}) {
  const { api, chats } = options;
  const { name, clock, log } = options.context;
  /** When a chat that was told too much may be told again, monotonic milliseconds. */
  const quietUntil = new Map<number, number>();

  const waitOf = (id: number) => (quietUntil.get(id) ?? 0) - clock.monotonic();
  const tooMuch = (id: number) =>
    new HsdoError('unavailable', `Cannot notify "${name}": chat ${id} was told too much`, {
      retryAfterMs: Math.ceil(waitOf(id)),
    });
  /** Resolves with why it could not be told; `undefined`: it has everything, or is gone. */
  return async function tell(
    chat: Chat,
    notice: string,
    parts: readonly string[],
    signal: AbortSignal,
  ): Promise<HsdoError | undefined> {
    if (waitOf(chat.id) > 0) return tooMuch(chat.id);
    let now = chat;
    while (partsOf(now, notice) < parts.length) {
      const done = partsOf(now, notice);
      const sent = await api.send(now.id, parts[done] ?? '', signal);
      if (sent.outcome === 'gone') {
        log.warn({ notifier: name, chat: now.id, reason: sent.reason }, 'a chat is lost and taken off the list');
        await chats.remove(now.id, signal);
        return undefined;
      }
      if (sent.outcome === 'failed') {
        const { retryAfterMs } = sent.error;
        if (retryAfterMs !== undefined) quietUntil.set(now.id, clock.monotonic() + retryAfterMs);
        return sent.error;
      }
      if (sent.outcome === 'refused')
        log.warn(
          { notifier: name, chat: now.id, reason: sent.reason },
          'a chat does not take a notice, and gets no more of it',
        );
      if (sent.outcome === 'moved') {
        if (sent.to === now.id) return undefined;
        now = await chats.move(now, sent.to, signal);
      } else {
        now = withParts(now, notice, sent.outcome === 'refused' ? parts.length : done + 1);
        await chats.put(now, signal);
      }
    }
    return undefined;
  };
}

/**
 * Tells chats of Telegram that joined with the code. Each chat's progress is kept, so that a failure at one of them does not
 * tell the others twice. `run` listens for those who join and leave; Telegram lets only one process do so at a time.
 */
export function createTelegram(config: TelegramConfig, context: NotifierContext): Notifier {
  const { name, clock, log } = context;
  const { token, joinCode, baseUrl, pollSeconds } = config;
  const chats = createChats(context.keep);
  const api = createTelegramApi({ what: `Cannot notify "${name}"`, baseUrl, token });
  const tell = createTelling({ api, chats, context });
  const read = createJoining({ api, chats, joinCode, name, clock, log });

  return {
    async notify(notice, signal) {
      const parts = splitText([headlineOf(notice), '', ...linesOf(notice)].join('\n'));
      const failures: HsdoError[] = [];
      for (const chat of await chats.list(signal)) {
        const failure = await tell(chat, notice.id, parts, signal);
        if (failure) failures.push(failure);
      }
      const worst = failures.find((failure) => hasCode(failure, 'unavailable')) ?? failures[0];
      if (worst) throw worst;
    },
    verify: async (signal) => ({ says: `the token is that of the bot @${await api.me(signal)}` }),
    async run(signal) {
      const streak = createStreak(log, 'listening for chats that join', { notifier: name });
      const backoff = createBackoff({ baseMs: 1000, maxMs: 60_000 });
      let offset = 0;
      while (!signal.aborted) {
        try {
          const waitMs = pollSeconds * 1000 + answerGraceMs;
          const askedAt = clock.monotonic();
          const news = await withDeadline('Telegram', waitMs, signal, (inner) =>
            api.updates(offset, pollSeconds, inner),
          );
          for (const update of news) {
            await withDeadline('Telegram', answerGraceMs, signal, (inner) => read(update, inner));
            offset = update.update_id + 1;
          }
          streak.worked();
          backoff.reset();
          // Whoever answers without waiting for news, as is asked by `pollSeconds: 0`, is not asked again at once.
          const restMs = leastPollMs - (clock.monotonic() - askedAt);
          if (news.length === 0 && restMs > 0) await pause(clock, restMs, undefined, signal);
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof HsdoError)) throw error;
          streak.failed(describeError(error));
          await pause(clock, Math.max(error.retryAfterMs ?? 0, backoff.next()), undefined, signal);
        }
      }
    },
  };
}
