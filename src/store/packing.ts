import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describeError, HsdoError } from '../model/error.ts';
import { maxValueBytes } from './limits.ts';

/** What is longer is packed: transactions of etcd hold 1.5 MiB and those of Consul 512 KiB, less than a whole long list. */
const packedFromBytes = 8 * 1024;
/** No text of ours begins like this as it is; what does is packed. */
const mark = Buffer.from('\0z');

/** A value as bytes: short texts as they are, so that people can read them with the engine's own tools. */
export function pack(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length < packedFromBytes && !text.startsWith('\0')) return bytes;
  return Buffer.concat([mark, deflateRawSync(bytes, { level: 1 })]);
}

/**
 * The text of a value.
 *
 * @throws HsdoError `rejected` when it is none that {@link pack} made
 */
export function unpack(key: string, bytes: Buffer): string {
  try {
    const isPacked = bytes.subarray(0, mark.length).equals(mark);
    const plain = isPacked ? inflateRawSync(bytes.subarray(mark.length), { maxOutputLength: maxValueBytes }) : bytes;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (error) {
    const message = `Cannot read "${key}": its value is no text that hsdo wrote: ${describeError(error)}`;
    throw new HsdoError('rejected', message, { cause: error });
  }
}
