import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTable } from '../../../../src/deliver/dns/answer/table.ts';
import { compileChapter, joinChapters } from '../../../../src/deliver/dns/records/compile.ts';
import type { Chapter } from '../../../../src/deliver/dns/records/records.ts';
import { type Asking, a, apex, asking, named, tableOf, txt } from './answering.ts';

/** Names that may stand in the chapter, with a word that says which version of it they belong to. */
const places = Array.from({ length: 6 }, (_, n) => `n${n}`);
const keys = ['a', 'b', 'c'];
const nameOf = (place: string, key: string) => `${place}.${key}.${apex}`;

interface Version {
  readonly key: string;
  readonly version: number;
  readonly present: readonly string[];
}

const chapterOf = ({ key, version, present }: Version): Chapter => ({
  key,
  names: present.map((place) => named(nameOf(place, key), [txt(String(version))])),
});
const messageOf = (chapters: readonly Chapter[]) => joinChapters(chapters.map(compileChapter));

/** What there is of a key: the version in which each of its names is. */
function found({ ask }: Asking, key: string): Record<string, string> {
  const versions = places.map(
    (place) => [place, ask(nameOf(place, key), 'TXT').answers[0]?.split(' ').at(-1)] as const,
  );
  return Object.fromEntries(versions.flatMap(([place, version]) => (version === undefined ? [] : [[place, version]])));
}

const meant = ({ present, version }: Version) => Object.fromEntries(present.map((place) => [place, String(version)]));

const messages = fc
  .array(fc.array(fc.tuple(fc.constantFrom(...keys), fc.subarray(places)), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((all) => {
    const versions = all.flat().keys();
    return all.map((parts) =>
      parts.map(([key, present]): Version => ({ key, present, version: versions.next().value ?? 0 })),
    );
  });

/** For properties, on a machine that has other things to do. */
const patienceMs = 60_000;

describe('chapters in a table', () => {
  it(
    'are each wholly old or wholly new at any moment, in whatever slices they are installed',
    () => {
      fc.assert(
        fc.property(messages, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (all, slices) => {
          const table = createTable();
          for (const versions of all) table.install(messageOf(versions.map(chapterOf)));
          const queue = all.flat();
          const asked = asking(table);
          let done = 0;
          for (let turn = 0; done < queue.length; turn += 1) {
            const slice = slices[turn % slices.length] as number;
            const isDone = table.settle(slice);
            // Whole chapters, until the slice is used up.
            for (let left = slice; left > 0 && done < queue.length; done += 1) {
              left -= Math.max(1, queue[done]?.present.length ?? 0);
            }
            expect(isDone).toBe(done === queue.length);
            const latest = keys.map((key) => queue.slice(0, done).findLast((one) => one.key === key));
            for (const [index, key] of keys.entries()) {
              const version = latest[index];
              expect(found(asked, key)).toEqual(version === undefined ? {} : meant(version));
            }
            expect(table.names()).toBe(latest.reduce((sum, one) => sum + (one?.present.length ?? 0), 0));
          }
        }),
        { numRuns: 60 },
      );
    },
    patienceMs,
  );

  it('are installed one at least at a time, and what is empty is done', () => {
    const table = createTable();
    expect(table.settle(1)).toBe(true);
    table.install(new Uint8Array(0));
    expect(table.settle(1)).toBe(true);
    table.install(messageOf([chapterOf({ key: 'a', version: 1, present: places })]));
    expect([table.names(), table.settle(1), table.names()]).toEqual([0, true, 6]);
  });

  it('without names remove what had their key', () => {
    const table = tableOf(chapterOf({ key: 'a', version: 1, present: places }));
    table.install(
      messageOf([
        { key: 'nobody', names: [] },
        { key: 'a', names: [] },
      ]),
    );
    expect([table.settle(2), table.names(), found(asking(table), 'a')]).toEqual([true, 0, {}]);
  });

  it('may take a name over from one that gives it up, in either order', () => {
    const [mine, yours] = ['mine', 'yours'].map((key) => ({ key, names: [named(`x.${apex}`, [txt(key)])] }));
    const nothing = (key: string) => ({ key, names: [named(`${key}.${apex}`, [])] });
    for (const message of [
      [yours, nothing('mine')],
      [nothing('mine'), yours],
    ]) {
      const table = tableOf(mine as Chapter);
      table.install(messageOf(message as Chapter[]));
      expect(table.settle(9)).toBe(true);
      expect(asking(table).ask(`x.${apex}`, 'TXT').answers).toEqual([`x.${apex} 60 TXT yours`]);
      expect(table.names()).toBe(2);
    }
  });

  it('have keys of any letters, that are no names', () => {
    const table = tableOf({ key: '', names: [named(apex, [])] }, { key: `x.${apex}`, names: [named(`y.${apex}`, [])] });
    expect(table.names()).toBe(2);
    expect(asking(table).ask(`x.${apex}`).code).toBe('NXDOMAIN');
    table.install(messageOf([{ key: '', names: [] }]));
    table.settle(1);
    expect([table.names(), asking(table).ask(apex).code]).toEqual([1, 'REFUSED']);
  });
});

describe('a large table', () => {
  const many = (from: number, to: number, version: number) =>
    Array.from({ length: to - from }, (_, n): Chapter => {
      const key = `service-${from + n}`;
      return {
        key,
        names: [named(`${key}.${apex}`, [a('10.0.0.1'), txt(`${version}`)]), named(`slot-1.${key}.${apex}`, [])],
      };
    });

  it(
    'finds every name, after growing, and after most were taken away',
    () => {
      const table = tableOf(...many(0, 2000, 1));
      expect(table.names()).toBe(4000);
      const { ask } = asking(table);
      for (let n = 0; n < 2000; n += 17) expect(ask(`service-${n}.${apex}`).answers).toHaveLength(1);
      table.install(messageOf(many(0, 1900, 1).map(({ key }) => ({ key, names: [] }))));
      expect([table.settle(1e6), table.names()]).toEqual([true, 200]);
      for (let n = 1900; n < 2000; n += 1) expect(ask(`service-${n}.${apex}`).answers).toHaveLength(1);
      for (let n = 0; n < 1900; n += 77) expect(ask(`service-${n}.${apex}`).code).toBe('REFUSED');
    },
    patienceMs,
  );

  it(
    'does not grow when its chapters are replaced again and again',
    () => {
      const table = tableOf(...many(0, 200, 1));
      const before = table.bytes();
      for (let version = 2; version < 40; version += 1) {
        table.install(messageOf(many(0, 200, version)));
        table.settle(1e6);
      }
      expect([table.names(), table.bytes()]).toEqual([400, before + 200]);
      expect(asking(table).ask(`service-9.${apex}`, 'TXT').answers).toEqual([`service-9.${apex} 60 TXT 39`]);
    },
    patienceMs,
  );

  it(
    'keeps no message for the one chapter in it that was not replaced',
    () => {
      const table = tableOf(...many(0, 300, 1));
      const before = table.bytes();
      for (let kept = 0; kept < 60; kept += 1) {
        const rest = many(0, 300, kept + 2).filter((_, n) => n !== kept);
        table.install(messageOf(rest));
        table.settle(1e6);
      }
      expect(table.bytes()).toBeLessThan(3 * before);
      const { ask } = asking(table);
      for (const [n, version] of [
        [0, 61],
        [58, 61],
        [59, 60],
        [299, 61],
      ]) {
        expect(ask(`service-${n}.${apex}`, 'TXT').answers).toEqual([`service-${n}.${apex} 60 TXT ${version}`]);
      }
    },
    patienceMs,
  );
});
