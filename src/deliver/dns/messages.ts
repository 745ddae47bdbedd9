import { chapterHead } from './layout.ts';
import { readInt32 } from './wire.ts';

/** What came in one piece. It is kept as long as one of its chapters lives. */
interface Message {
  bytes: Uint8Array;
  /** Bytes of those of its chapters that live. */
  live: number;
  readonly chapters: number[];
}

/** Below this a message is not worth being tidied. */
const tidyFrom = 65_536;
const none = new Uint8Array(0);

/**
 * Keeps compiled chapters where they came and gives each a number from 1 on, which is used again when it is released. A
 * message that mostly is replaced gives its other chapters to a smaller copy, so that no more than about four times the
 * bytes of what lives is kept, whatever is replaced in which order.
 */
export function createMessages() {
  const waiting: Uint8Array[] = [];
  let next = 0;
  let current: Message | undefined;
  let held = 0;
  /** By number of the chapter. */
  const bytes: Uint8Array[] = [none];
  const bases: number[] = [0];
  const owners: (Message | undefined)[] = [undefined];
  const free: number[] = [];

  const lengthOf = (chapter: number) => readInt32(bytesOf(chapter), baseOf(chapter));
  function bytesOf(chapter: number): Uint8Array {
    return bytes[chapter] as Uint8Array;
  }
  function baseOf(chapter: number): number {
    return bases[chapter] as number;
  }

  function keep(chapter: number, message: Message, base: number): void {
    bytes[chapter] = message.bytes;
    bases[chapter] = base;
    owners[chapter] = message;
    message.chapters.push(chapter);
  }

  function tidy(message: Message): void {
    const living = new Set(message.chapters.filter((chapter) => owners[chapter] === message));
    const smaller: Message = { bytes: new Uint8Array(message.live), live: message.live, chapters: [] };
    let at = 0;
    for (const chapter of living) {
      const [from, length] = [baseOf(chapter), lengthOf(chapter)];
      smaller.bytes.set(message.bytes.subarray(from, from + length), at);
      keep(chapter, smaller, at);
      at += length;
    }
    held += smaller.bytes.length - message.bytes.length;
  }

  return {
    bytesOf,
    baseOf,
    namesOf: (chapter: number) => readInt32(bytesOf(chapter), baseOf(chapter) + chapterHead.names),
    bytes: () => held,
    /** Queues a message of chapters. */
    queue(message: Uint8Array): void {
      if (message.length > 0) waiting.push(message);
    },
    isEmpty: () => waiting.length === 0,
    /** Gives the next chapter of the queue a number. There must be one. */
    take(): number {
      const head = waiting[0] as Uint8Array;
      if (current === undefined) {
        current = { bytes: head, live: 0, chapters: [] };
        held += head.length;
      }
      const chapter = free.pop() ?? bytes.length;
      keep(chapter, current, next);
      const length = lengthOf(chapter);
      current.live += length;
      next += length;
      if (next >= head.length) {
        waiting.shift();
        current = undefined;
        next = 0;
      }
      return chapter;
    },
    /** Forgets a chapter. */
    release(chapter: number): void {
      const message = owners[chapter] as Message;
      message.live -= lengthOf(chapter);
      bytes[chapter] = none;
      owners[chapter] = undefined;
      free.push(chapter);
      if (message === current) return;
      if (message.live === 0) held -= message.bytes.length;
      else if (message.bytes.length >= tidyFrom && message.live * 4 < message.bytes.length) tidy(message);
    },
  };
}
