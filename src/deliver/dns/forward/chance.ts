import { randomFillSync } from 'node:crypto';

/** Numbers that nobody can foresee, taken from the system in batches. */
export interface Chance {
  /** 0 to 255. */
  byte(): number;
  /** 0 to 65535. */
  short(): number;
}

const batchBytes = 4096;

export function createChance(): Chance {
  const batch = Buffer.alloc(batchBytes);
  let used = batchBytes;
  const byte = () => {
    if (used === batchBytes) {
      randomFillSync(batch);
      used = 0;
    }
    used += 1;
    return batch[used - 1] as number;
  };
  return { byte, short: () => (byte() << 8) | byte() };
}
