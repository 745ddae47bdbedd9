import { chapterHead, nodeHead } from '../answer/layout.ts';
import { readUint16 } from '../answer/wire.ts';

const decoder = new TextDecoder();

/** The key of a compiled chapter, as it was given to compileChapter. */
export function chapterKey(bytes: Uint8Array): string {
  const at = chapterHead.bytes + nodeHead.bytes;
  const end = at + readUint16(bytes, chapterHead.bytes + nodeHead.nameBytes);
  // Behind the mark that no name begins with.
  return decoder.decode(bytes.subarray(at + 1, end));
}
