import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clockFaults, constructFaults, functionFaults, longFunctions, textFaults } from './shape-rules.ts';

const root = join(import.meta.dirname, '..', '..');

/** Code files below the named folders, by their paths from the root. */
function codeIn(...folders: string[]): { readonly file: string; readonly text: string }[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((f) => `${folder}/${f}`),
    )
    .filter((file) => /\.(ts|mjs)$/.test(file))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

const code = codeIn('src', 'test', 'scripts');
const shipped = code.filter(({ file }) => !file.startsWith('test/') || file.startsWith('test/fixtures/'));

describe('the shape of the code', () => {
  it('has files of at most 250 lines, with names that say something and nothing left for later', () => {
    expect(code.length).toBeGreaterThan(20);
    expect(code.flatMap(({ file, text }) => textFaults(file, text))).toEqual([]);
  });

  it('has functions of at most 40 lines', () => {
    expect(shipped.flatMap(({ file, text }) => functionFaults(file, text))).toEqual([]);
  });

  it('excuses no function that is not there any more', () => {
    for (const excused of Object.keys(longFunctions)) {
      const [file = '', name = ''] = excused.split(' ');
      expect(readFileSync(join(root, file), 'utf8')).toContain(`function ${name}(`);
    }
  });

  it('has no default export, no any and no class but errors', () => {
    expect(code.flatMap(({ file, text }) => constructFaults(file, text))).toEqual([]);
  });

  it('reads clocks and sets timers in src/time alone', () => {
    const others = code.filter(({ file }) => file.startsWith('src/') && !file.startsWith('src/time/'));
    expect(others.flatMap(({ file, text }) => clockFaults(file, text))).toEqual([]);
  });

  it('skips tests only for a missing component, through describeWith', () => {
    const pattern = new RegExp(`\\b(it|test|describe)\\.(${['skip', 'only', 'todo'].join('|')})\\b`);
    const files = code.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
    expect(files).toEqual(['test/fixtures/component.ts']);
  });
});

describe('the rules of shape', () => {
  const long = (lines: number) => `const a = 1;\n${'\n'.repeat(lines)}`;

  it('find long files, empty names and things left for later', () => {
    expect(textFaults('src/time/clock.ts', long(249))).toEqual([]);
    expect(textFaults('src/time/clock.ts', long(250))).toEqual(['src/time/clock.ts has 251 lines, at most 250']);
    expect(textFaults('src/utils/clock.ts', '')).toEqual(['src/utils/clock.ts: "utils" says nothing']);
    expect(textFaults('a.ts', `\n// ${'TO'}DO later`)).toEqual(['a.ts:2: left for later']);
  });

  it('find long functions, and count the functions in them apart', () => {
    const inner = `const inner = () => {${'\n'.repeat(35)}};`;
    expect(functionFaults('a.ts', `function f() {${'\n'.repeat(20)}${inner}\n}`)).toEqual([]);
    expect(functionFaults('a.ts', `// ü\nfunction f() {\n${inner}${'\n'.repeat(40)}}`)).toEqual([
      'a.ts:2: f has 42 lines, at most 40',
    ]);
    expect(functionFaults('a.ts', `const o = { m() {${'\n'.repeat(40)}} };`)).toEqual([
      'a.ts:1: m has 41 lines, at most 40',
    ]);
  });

  it('find default exports, any, classes and clocks', () => {
    expect(constructFaults('a.ts', 'export class E extends RangeError {}\nconst many = 1; // any')).toEqual([]);
    expect(constructFaults('a.ts', 'export default 1;\nlet a: any;\nclass C {}')).toEqual([
      'a.ts:1: a default export',
      'a.ts:2: the type any',
      'a.ts:3: a class that is no error',
    ]);
    expect(clockFaults('a.ts', 'clock.now(); socket.setTimeout(1);\nDate.now();\nsetTimeout(f, 1);')).toEqual([
      'a.ts:2: a clock of its own',
      'a.ts:3: a clock of its own',
    ]);
  });
});
