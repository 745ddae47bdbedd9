import { chapterHead } from './layout.ts';

/** What came in one piece. It is kept as long as one of its chapters lives. */
interface Message {
  readonly view: DataView;
  /** Bytes of those of its chapters that live. */
  live: number;
  readonly chapters: number[];
}

/** Below this a message is not worth being tidied. */
const tidyFrom = 65_536;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const messageOf = (bytes: Uint8Array): Message => ({ view: viewOf(bytes), live: 0, chapters: [] });
const nowhere = messageOf(new Uint8Array(0));

/**
 * Keeps compiled chapters where they came and gives each a number from 1 on, which is used again when it is released. A
 * message that mostly is replaced gives its other chapters to a smaller copy, so that no more than about four times the
 * bytes of what lives is kept, whatever is replaced in which order.
 */
export function createMessages() {
  const waiting: Uint8Array[] = [];
  let current: Message | undefined;
  let next = 0;
  let held = 0;
  /** By number of the chapter. */
  const owners: Message[] = [nowhere];
  const views: DataView[] = [nowhere.view];
  const bases: number[] = [0];
  const free: number[] = [];

  const ownerOf = (chapter: number) => owners[chapter] as Message;
  const viewAt = (chapter: number) => views[chapter] as DataView;
  const baseOf = (chapter: number) => bases[chapter] as number;
  const lengthOf = (chapter: number) => viewAt(chapter).getInt32(baseOf(chapter));

  function keep(chapter: number, message: Message, base: number): void {
    owners[chapter] = message;
    views[chapter] = message.view;
    bases[chapter] = base;
    message.chapters.push(chapter);
  }

  function begin(bytes: Uint8Array): Message {
    held += bytes.length;
    return messageOf(bytes);
  }

  function tidy(message: Message): void {
    const living = new Set(message.chapters.filter((chapter) => ownerOf(chapter) === message));
    const bytes = new Uint8Array(message.live);
    const smaller = begin(bytes);
    for (const chapter of living) {
      const [from, length] = [message.view.byteOffset + baseOf(chapter), lengthOf(chapter)];
      bytes.set(new Uint8Array(message.view.buffer, from, length), smaller.live);
      keep(chapter, smaller, smaller.live);
      smaller.live += length;
    }
    held -= message.view.byteLength;
  }

  return {
    /** What a chapter lies in, and where in it. Both hold until a chapter is released. */
    viewOf: viewAt,
    baseOf,
    namesOf: (chapter: number) => viewAt(chapter).getInt32(baseOf(chapter) + chapterHead.names),
    /** Bytes of everything that is kept. */
    bytes: () => held,
    /** Queues a message of chapters. */
    queue(message: Uint8Array): void {
      if (message.length > 0) waiting.push(message);
    },
    isEmpty: () => waiting.length === 0,
    /** Gives the next chapter of the queue a number. There must be one. */
    take(): number {
      const head = waiting[0] as Uint8Array;
      current ??= begin(head);
      const chapter = free.pop() ?? owners.length;
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
      const message = ownerOf(chapter);
      message.live -= lengthOf(chapter);
      owners[chapter] = nowhere;
      views[chapter] = nowhere.view;
      free.push(chapter);
      if (message === current) return;
      if (message.live === 0) held -= message.view.byteLength;
      else if (message.view.byteLength >= tidyFrom && message.live * 4 < message.view.byteLength) tidy(message);
    },
  };
}
