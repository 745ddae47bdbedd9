import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { manual } from '../../../src/cli/manual.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { surfaceOf } from '../../../src/cli/surface.ts';
import { runCliHere } from '../../fixtures/cli.ts';
import { describeWith } from '../../fixtures/component.ts';
import { pages, textOf } from '../../fixtures/documents.ts';
import { startProgram } from '../../fixtures/program.ts';

/** `UPDATE_README=1 npx vitest run test/unit/cli/manual.test.ts` writes it anew. */
const page = new URL('../../../conf/man/hsdo.1', import.meta.url);
const program = createProgram();
const surface = surfaceOf(program);
/** Hidden ones too. */
const commands = new Map(program.commands.map((command) => [command.name(), command]));

/** Commands and long options of each `hsdo ...` in the code of a text. */
function callsIn(text: string): readonly { readonly call: string; readonly words: readonly string[] }[] {
  const fences = [...text.matchAll(/^ *```(?:sh|console|bash)\n([\s\S]*?)^ *```/gm)].map(([, code = '']) => code);
  const spans = [...text.replaceAll(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  );
  return [...fences.flatMap((code) => code.split('\n')), ...spans].flatMap((line) => {
    const call = /^(?:\$ |# )?(?:sudo )?(?:[A-Z_]+=\S+ )*hsdo( [a-z-].*)$/.exec(line.trim())?.[1]?.replace(/ #.*$/, '');
    return call === undefined ? [] : [{ call: line.trim(), words: call.trim().split(/\s+/) }];
  });
}

function faultsOf(words: readonly string[]): readonly string[] {
  const [first] = words.filter((word) => !word.startsWith('-'));
  const named = first === undefined ? undefined : commands.get(first);
  const known = [program, ...(named ? [named] : [])].flatMap(({ options }) => options.map(({ long }) => long));
  const options = words.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
  const role = words.some((word) =>
    ['--server', '--client', '--dns', '--agent', '--help', '--version', '--api'].includes(word),
  );
  const missing = named === undefined && !role ? [`no command ${first}`] : [];
  return [
    ...missing,
    ...options.filter((one) => one !== '--help' && !known.includes(one)).map((one) => `no option ${one}`),
  ];
}

describe('the manual hsdo(1)', () => {
  it('is what the commands say of themselves', () => {
    const expected = manual(surface);
    if (process.env['UPDATE_README'] === '1') writeFileSync(page, expected);
    else expect(readFileSync(page, 'utf8')).toBe(expected);
  });

  it('names every command that help shows', async () => {
    const { stdout } = await runCliHere(['--help']);
    const text = readFileSync(page, 'utf8').replaceAll('\\-', '-');
    for (const { name } of surface.commands) {
      expect(stdout).toContain(`\n  ${name} `);
      expect(text).toContain(`\\fBhsdo ${name}\\fR`);
    }
  });
});

describeWith(['groff'], 'the manual in groff', () => {
  it('is set without a warning', async () => {
    const groff = startProgram('groff', ['-man', '-ww', '-z', '-Tutf8', fileURLToPath(page)]);
    expect(await groff.exited).toBe(0);
    expect(groff.output()).toBe('');
  });
});

describe('the documents', () => {
  it('and the remarks in conf name no command and no option that hsdo does not have', () => {
    const conf = readdirSync(new URL('../../../conf', import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ya?ml|mjs|ts|service|socket)$/.test(name))
      .map((name) => `conf/${name}`);
    const calls = [...pages, ...conf].flatMap((page) => callsIn(textOf(page)));
    expect(calls.length).toBeGreaterThan(140);
    expect(calls.flatMap(({ call, words }) => faultsOf(words).map((fault) => `${call}: ${fault}`))).toEqual([]);
  });
});

describe('hsdo', () => {
  it('alone says in a few lines what it is and what to type', async () => {
    const { code, stdout, stderr } = await runCliHere([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').length).toBeLessThan(14);
    const typed = [...stdout.matchAll(/^ {2}hsdo ((?:\S+ )*\S+) {2,}/gm)].map(([, words = '']) => words.split(' '));
    expect(typed.length).toBe(7);
    expect(typed.flatMap(faultsOf)).toEqual([]);
  });

  it.each([
    ['statsu', 'status'],
    ['docter', 'doctor'],
    ['switchovr', 'switchover'],
  ])('answers %s with %s', async (typed, meant) => {
    const { code, stderr } = await runCliHere([typed]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`did you mean ${meant}?`) });
  });
});
