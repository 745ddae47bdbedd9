import { spellName } from '../answer/wire.ts';

/** Writes bytes one after the other into memory that grows. Numbers have their high byte first. */
export interface Pen {
  /** Where the next byte goes. */
  place(): number;
  uint8(value: number): void;
  uint16(value: number): void;
  int32(value: number): void;
  /** Writes bytes as they are. */
  copy(bytes: Uint8Array): void;
  /** Writes a name, see `spellName`, and throws as that does. */
  name(name: string): void;
  /** Writes so many zeros. */
  zeros(count: number): void;
  /** Writes over what stands at a place. */
  amendUint16(place: number, value: number): void;
  amendInt32(place: number, value: number): void;
  /** A copy of everything from a place on, which is taken away. */
  take(from: number): Uint8Array;
}

const longestName = 255;

export function createPen(): Pen {
  let bytes = new Uint8Array(4096);
  let view = new DataView(bytes.buffer);
  let at = 0;

  /** The place of so many bytes, for which there is room. `bytes` and `view` may be others afterwards. */
  function grow(count: number): number {
    const from = at;
    at += count;
    if (at <= bytes.length) return from;
    const larger = new Uint8Array(2 * at);
    larger.set(bytes);
    bytes = larger;
    view = new DataView(bytes.buffer);
    return from;
  }

  return {
    place: () => at,
    uint8(value) {
      const from = grow(1);
      view.setUint8(from, value);
    },
    uint16(value) {
      const from = grow(2);
      view.setUint16(from, value);
    },
    int32(value) {
      const from = grow(4);
      view.setInt32(from, value);
    },
    copy(more) {
      const from = grow(more.length);
      bytes.set(more, from);
    },
    name(name) {
      const from = grow(longestName);
      at = spellName(name, bytes, from);
    },
    zeros(count) {
      const from = grow(count);
      bytes.fill(0, from, from + count);
    },
    amendUint16: (place, value) => view.setUint16(place, value),
    amendInt32: (place, value) => view.setInt32(place, value),
    take(from) {
      const taken = bytes.slice(from, at);
      at = from;
      return taken;
    },
  };
}
