import { z } from 'zod';
import type { Keep } from './notifier.ts';

/** One chat that joined, and what it has of the notices that are on their way. */
export interface Chat {
  readonly id: number;
  /** Name of the group, or of who joined; for people. */
  readonly title: string;
  /** Wall-clock milliseconds. */
  readonly joinedAt: number;
  /** The last notices with how many of their parts the chat has, the newest last. */
  readonly has: readonly { readonly notice: string; readonly parts: number }[];
}

/** The chats that joined, kept in the store. Throws as the store does. */
export interface Chats {
  list(signal: AbortSignal): Promise<readonly Chat[]>;
  put(chat: Chat, signal: AbortSignal): Promise<void>;
  remove(id: number, signal: AbortSignal): Promise<void>;
  /** A group that became a larger one has another id, and stays what it was. */
  move(chat: Chat, to: number, signal: AbortSignal): Promise<Chat>;
}

const record = z.object({
  title: z.string().max(300).catch(''),
  joinedAt: z.number().catch(0),
  has: z.array(z.object({ notice: z.string().max(300), parts: z.int().min(0) })).catch([]),
});

/** Notices of several services may be on their way, one after the other. */
const mostNotices = 8;

function parse(name: string, value: string): readonly Chat[] {
  const id = Number(name);
  if (!Number.isSafeInteger(id)) return [];
  try {
    return [{ id, ...record.parse(JSON.parse(value)) }];
  } catch {
    // That it joined is told by its name alone.
    return [{ id, title: '', joinedAt: 0, has: [] }];
  }
}

/** Keeps each chat under its id, so that one that cannot be read costs no other. */
export function createChats(keep: Keep): Chats {
  const put = ({ id, ...rest }: Chat, signal: AbortSignal) => keep.put(String(id), JSON.stringify(rest), signal);
  return {
    async list(signal) {
      return (await keep.list(signal)).flatMap(({ name, value }) => parse(name, value));
    },
    put,
    remove: (id, signal) => keep.delete(String(id), signal),
    async move(chat, to, signal) {
      const moved = { ...chat, id: to };
      await put(moved, signal);
      await keep.delete(String(chat.id), signal);
      return moved;
    },
  };
}

/** How many parts of a notice a chat has. */
export function partsOf({ has }: Chat, notice: string): number {
  return has.find((one) => one.notice === notice)?.parts ?? 0;
}

/** The chat once it has so many parts of a notice; the oldest notices are forgotten. */
export function withParts(chat: Chat, notice: string, parts: number): Chat {
  const others = chat.has.filter((one) => one.notice !== notice);
  return { ...chat, has: [...others, { notice, parts }].slice(-mostNotices) };
}
