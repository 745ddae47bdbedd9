import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChains, type Linked } from '../../../../src/deliver/dns/forward/chains.ts';

interface Item extends Linked<Item> {
  readonly name: number;
}

/** Everything that may have this hash, by name. */
function namesFrom(first: Item | undefined): number[] {
  const names: number[] = [];
  for (let item = first; item !== undefined; item = item.next) names.push(item.name);
  return names.sort((a, b) => a - b);
}

describe('chains', () => {
  it('hold what was added and not removed, as a list would, whatever the hashes', () => {
    // Few hashes, so that many items share one; 1024 apart they share a chain as well.
    const hash = fc.constantFrom(0, 1, 1024, 1025, 65_535, -1, -1024, 2 ** 31 - 1, -(2 ** 31));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), hash }),
      fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const chains = createChains<Item>();
        const model: Item[] = [];
        for (const [name, one] of steps.entries()) {
          if (one.kind === 'add') {
            const item: Item = { name, hash: one.hash, next: undefined };
            chains.add(item);
            model.push(item);
          } else {
            const [item] = model.splice(one.at % Math.max(1, model.length), 1);
            if (item === undefined) continue;
            chains.remove(item);
            expect(item.next).toBeUndefined();
            // A second time there is nothing to remove.
            chains.remove(item);
          }
          for (const { hash: asked } of model) {
            const same = model.filter((item) => (item.hash & 1023) === (asked & 1023)).map((item) => item.name);
            expect(namesFrom(chains.first(asked))).toEqual(same.sort((a, b) => a - b));
          }
        }
        const all = chains.filter(() => true).map(({ name }) => name);
        expect(all.sort((a, b) => a - b)).toEqual(model.map(({ name }) => name).sort((a, b) => a - b));
        chains.clear();
        expect(chains.filter(() => true)).toEqual([]);
      }),
    );
  });
});
