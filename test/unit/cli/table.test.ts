import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fitWidths, widthOf, wrapAt } from '../../../src/cli/fit.ts';
import { hasColor } from '../../../src/cli/paint.ts';
import { printable } from '../../../src/cli/plain-text.ts';
import { openProgress } from '../../../src/cli/progress.ts';
import { showTable } from '../../../src/cli/table.ts';

afterEach(() => vi.unstubAllEnvs());

const long = 'the check of this target was refused by the machine that it runs on';

describe('a table', () => {
  it('keeps every row in one line in a pipe', () => {
    vi.stubEnv('NO_COLOR', '1');
    expect(showTable(['NAME', 'WHY'], [['a', long]], { isTTY: false })).toBe(`NAME  WHY\na     ${long}`);
  });

  it('is no wider than the terminal, and says all the same all', () => {
    vi.stubEnv('NO_COLOR', '1');
    const lines = showTable(['NAME', 'WHY'], [['a', long]], { isTTY: true, columns: 40 }).split('\n');
    expect(lines.length).toBeGreaterThan(2);
    expect(widthOf(lines.join('\n'))).toBeLessThanOrEqual(40);
    expect(lines.slice(1).join(' ').replaceAll(/\s+/g, ' ')).toBe(`a ${long}`);
  });

  it('keeps a row in one line and the cursor where it is, whatever others say', () => {
    vi.stubEnv('NO_COLOR', '1');
    const hostile = 'no\r\nanswer\u001b[2J\u009b5A\u0007 at all';
    expect(showTable(['NAME', 'WHY'], [['a', hostile]], { isTTY: false })).toBe(
      'NAME  WHY\na     no; answer?[2J?5A? at all',
    );
    expect(printable(`one\ntwo\r\t\u001b[31mred\u001b[39m${hostile}`)).toBe(
      'one\ntwo??\u001b[31mred\u001b[39mno?\nanswer?[2J?5A? at all',
    );
  });

  it('never loses a character by being broken, nor is wider than asked', () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9.:]{1,30}$/), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 40 }), (all, width) => {
        const wrapped = wrapAt(all.join(' '), width);
        expect(widthOf(wrapped)).toBeLessThanOrEqual(width);
        expect(wrapped.replaceAll(/[ \n]/g, '')).toBe(all.join(''));
      }),
    );
  });

  it('takes room from the widest columns, and none that is not needed', () => {
    expect(fitWidths([4, 60, 20], 84)).toEqual([4, 60, 20]);
    expect(fitWidths([4, 60, 20], 54)).toEqual([4, 30, 20]);
    expect(fitWidths([4, 60, 20], 34)).toEqual([4, 15, 15]);
    expect(fitWidths([60, 60], 10)).toEqual([60, 60]);
    fc.assert(
      fc.property(
        fc.array(fc.nat(100), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 100, max: 200 }),
        (all, room) => {
          const sum = fitWidths(all, room).reduce((one, other) => one + other, 0);
          expect(sum).toBeLessThanOrEqual(room);
        },
      ),
    );
  });
});

describe('colours', () => {
  it.each([
    ['on a terminal', true, {}, true],
    ['not in a pipe', false, {}, false],
    ['not on a dumb terminal', true, { TERM: 'dumb' }, false],
    ['not with NO_COLOR', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['with an empty NO_COLOR, which is none', true, { NO_COLOR: '' }, true],
    ['in a pipe with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
    ['nowhere with FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
  ])('are shown %s', (_, isTTY, env, expected) => {
    expect(hasColor({ isTTY }, env)).toBe(expected);
  });
});

describe('progress', () => {
  const outputOf = (isTTY: boolean) => {
    const written: string[] = [];
    const stream = { isTTY, columns: 20, write: (text: string) => written.push(text) > 0 };
    return { written, stream: stream as unknown as NodeJS.WriteStream };
  };

  it('is written over itself on a terminal, cut to its width, and taken away at the end', () => {
    vi.stubEnv('TERM', 'xterm');
    const { written, stream } = outputOf(true);
    const progress = openProgress(stream);
    progress.show('looking at many things: 1 of 2');
    progress.close();
    expect(written).toEqual(['\r\u001b[Klooking at many thi', '\r\u001b[K']);
  });

  it('is nothing in a pipe', () => {
    const { written, stream } = outputOf(false);
    const progress = openProgress(stream);
    progress.show('looking');
    progress.close();
    expect(written).toEqual([]);
  });
});
