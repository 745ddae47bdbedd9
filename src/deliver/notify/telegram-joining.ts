import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../model/secret.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import type { TelegramApi, Update } from './telegram-api.ts';
import type { Chats } from './telegram-chats.ts';

/** Wrong codes that a chat gets an answer to within an hour; further ones are not even looked at. */
const mostWrong = 5;
const hourMs = 3_600_000;
/** Chats whose wrong codes are remembered; who writes from more of them is answered anew. */
const mostChats = 10_000;

/** `/start CODE`, in a group with the name of the bot after the command; or the code alone. */
const command = /^\/(start|stop|join|leave)(?:@\w+)?(?:\s+([\s\S]*))?$/;

const isSame = (one: string, other: string) => {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
};

/** Reads one update after the other: who joins, who leaves, whose bot was removed. */
export function createJoining(options: {
  readonly api: TelegramApi;
  readonly chats: Chats;
  readonly joinCode: Secret;
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}) {
  const { api, chats, joinCode, name, clock, log } = options;
  const wrong = new Map<number, readonly number[]>();

  const wrongOf = (id: number) => (wrong.get(id) ?? []).filter((at) => at > clock.monotonic() - hourMs);
  const noteWrong = (id: number) => {
    const count = [...wrongOf(id), clock.monotonic()];
    wrong.delete(id);
    wrong.set(id, count);
    for (const oldest of [...wrong.keys()].slice(0, Math.max(0, wrong.size - mostChats))) wrong.delete(oldest);
  };
  async function join(message: NonNullable<Update['message']>, signal: AbortSignal): Promise<void> {
    const { chat, from } = message;
    const title = (chat.title ?? from?.username ?? '').slice(0, 100);
    const known = (await chats.list(signal)).some(({ id }) => id === chat.id);
    if (!known) await chats.put({ id: chat.id, title, joinedAt: clock.now(), has: [] }, signal);
    if (!known) log.info({ notifier: name, chat: chat.id, title }, 'a chat joins');
    const welcome = known ? 'This chat is on the list already.' : 'This chat is told of everything from now on.';
    await api.send(chat.id, `${welcome} Send /stop to leave.`, signal);
  }
  async function leave(id: number, signal: AbortSignal): Promise<void> {
    if (!(await chats.list(signal)).some((one) => one.id === id)) return;
    await chats.remove(id, signal);
    log.info({ notifier: name, chat: id }, 'a chat leaves');
    await api.send(id, 'This chat is told of nothing any more. Send /start with the join code to come back.', signal);
  }
  async function hear(message: NonNullable<Update['message']>, signal: AbortSignal): Promise<void> {
    const { chat } = message;
    const text = (message.text ?? '').trim();
    const [, verb, argument = ''] = command.exec(text) ?? [];
    if (verb === 'stop' || verb === 'leave') return leave(chat.id, signal);
    // In a group people talk of other things, too; only a command is meant for the bot there.
    const isMeant = verb !== undefined || (text !== '' && (chat.type ?? 'private') === 'private');
    const code = verb === undefined ? text : argument.trim();
    if (text === '' || wrongOf(chat.id).length >= mostWrong) return;
    if (isSame(code, joinCode.reveal())) return join(message, signal);
    if (!isMeant) return;
    noteWrong(chat.id);
    log.warn({ notifier: name, chat: chat.id }, 'a chat says a wrong join code');
    await api.send(chat.id, 'Sorry, that is not the join code. Send /start followed by the code.', signal);
  }

  return async function read({ message, my_chat_member: member }: Update, signal: AbortSignal): Promise<void> {
    if (message?.migrate_to_chat_id !== undefined) {
      const chat = (await chats.list(signal)).find(({ id }) => id === message.chat.id);
      if (chat) await chats.move(chat, message.migrate_to_chat_id, signal);
    } else if (message !== undefined) await hear(message, signal);
    if (member === undefined || !['kicked', 'left'].includes(member.new_chat_member.status)) return;
    await chats.remove(member.chat.id, signal);
    log.info({ notifier: name, chat: member.chat.id }, 'a chat removed the bot');
  };
}
