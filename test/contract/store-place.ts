import { afterEach } from 'vitest';
import type { Store } from '../../src/store/store.ts';

/** One empty place and any number of handles on it, as processes would hold them. */
export interface StorePlace {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

/** Opens stores for one test at a time; what was opened goes when the test ends. */
export interface Opener {
  openOne(): Promise<Store>;
  /** Handles on one and the same place. */
  openHandles(count: number): Promise<Store[]>;
}

export const never = new AbortController().signal;

/** Every opening gets a new place. */
export function useStores(makePlace: () => Promise<StorePlace>): Opener {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const openHandles = async (count: number): Promise<Store[]> => {
    const place = await makePlace();
    ends.push(() => place.remove());
    const stores: Store[] = [];
    for (let n = 0; n < count; n++) {
      const store = await place.open();
      ends.push(() => store.close());
      stores.push(store);
    }
    return stores;
  };
  const openOne = async (): Promise<Store> => {
    const [store] = await openHandles(1);
    if (!store) throw new Error('no store was opened');
    return store;
  };
  return { openOne, openHandles };
}

/** Puts one key and gives its new version. */
export async function put(store: Store, key: string, value: string, expect?: string | null): Promise<string> {
  const change = { op: 'put', key, value, ...(expect === undefined ? {} : { expect }) } as const;
  return (await store.commit([change], never)).get(key) ?? '';
}
