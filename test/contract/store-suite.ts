import { describe } from 'vitest';
import { type StorePlace, useStores } from './store-place.ts';
import { describeCommitting } from './store-suite-committing.ts';
import { describeHandles } from './store-suite-handles.ts';
import { describeReading } from './store-suite-reading.ts';

/** What every store promises, tried on the real engine. */
export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the store contract on ${name}`, () => {
    const opener = useStores(makePlace);
    describeReading(opener);
    describeCommitting(opener);
    describeHandles(opener);
  });
}
