import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Remembered } from '../../../../src/deliver/haproxy/decide.ts';
import type { Wanted, WantedTarget } from '../../../../src/deliver/haproxy/desired.ts';
import {
  composeStateFile,
  foreignLines,
  type StateFileBackend,
  writeStateFile,
} from '../../../../src/deliver/haproxy/state-file.ts';

const target = (index: number, changes: Partial<WantedTarget> = {}): WantedTarget => ({
  index,
  admin: 'ready',
  targetId: `i-${index}`,
  targetName: `n-${index}`,
  address: `10.0.0.${index}`,
  port: 8080,
  weight: 10,
  isForced: false,
  ...changes,
});
const known = (index: number, changes: Partial<Remembered> = {}): [number, Remembered] => [
  index,
  {
    targetId: `i-${index}`,
    address: `10.0.0.${index}`,
    port: 8080,
    admin: 'ready',
    isUp: true,
    initialWeight: 1,
    hasAgent: false,
    ...changes,
  },
];
const backend = (wanted: readonly Wanted[], remembered: readonly [number, Remembered][] = []): StateFileBackend => ({
  name: 'web',
  baseName: 'srv',
  wanted: new Map(wanted.map((one) => [one.index, one])),
  remembered: new Map(remembered),
});

/** Name, address, port, admin bits and weight of every server in the file. */
function servers(text: string) {
  return text
    .trimEnd()
    .split('\n')
    .slice(2)
    .map((line) => line.split(' '))
    .map((cells) => `${cells[3]} ${cells[4]}:${cells[18]} admin ${cells[6]} weight ${cells[7]}/${cells[8]}`);
}

describe('a composed server-state file', () => {
  it('has all columns for every target, and leaves free slots out', () => {
    const text = composeStateFile([backend([target(1), { index: 2, admin: 'maint' }])]);
    const [version, header, line, ...rest] = text.split('\n');
    expect([version, rest]).toEqual(['1', ['']]);
    expect(header?.replace('# ', '').split(' ')).toHaveLength(25);
    expect(line).toBe('1 web 1 srv1 10.0.0.1 2 4 10 1 0 1 0 0 6 0 0 0 - 8080 - 0 0 - - 0');
  });

  it('states ready, drain and maint as wanted, and what an operator holds', () => {
    const wanted = [
      target(1),
      target(2, { admin: 'drain' }),
      target(3, { admin: 'maint' }),
      target(4),
      target(5, { isForced: true }),
    ];
    const remembered = [known(4, { manual: 'maint' }), known(5, { manual: 'maint' })];
    expect(servers(composeStateFile([backend(wanted, remembered)])).map((line) => line.split(' ')[3])).toEqual([
      '4',
      '12',
      '5',
      '5',
      '4',
    ]);
  });

  it('ignores what was known of another target in the slot', () => {
    const text = composeStateFile([
      backend([target(1)], [known(1, { targetId: 'other', manual: 'maint', initialWeight: 7 })]),
    ]);
    expect(servers(text)).toEqual(['srv1 10.0.0.1:8080 admin 4 weight 10/1']);
  });

  it('parks with weight 0 what was down, as long as something else is up and a client will be there', () => {
    const wanted = [target(1), target(2), target(3, { admin: 'drain' })];
    const down = [known(1), known(2, { isUp: false, initialWeight: 5 }), known(3, { isUp: false })];
    const weights = (text: string) => servers(text).map((line) => line.split(' ').at(-1));
    expect(weights(composeStateFile([backend(wanted, down)]))).toEqual(['10/1', '0/5', '10/1']);
    expect(weights(composeStateFile([backend(wanted, down)], { mayPark: false }))).toEqual(['10/1', '10/5', '10/1']);
    expect(weights(composeStateFile([backend(wanted, [known(1, { isUp: false }), ...down.slice(1)])]))).toEqual([
      '10/1',
      '10/5',
      '10/1',
    ]);
    expect(weights(composeStateFile([backend(wanted, [known(1), known(2, { isUp: false, hasAgent: true })])]))).toEqual(
      ['10/1', '10/1', '10/1'],
    );
    expect(weights(composeStateFile([backend(wanted)]))).toEqual(['10/1', '10/1', '10/1']);
  });

  it('refuses a value that would break the file', () => {
    expect(() => composeStateFile([backend([target(1, { address: '10.0.0.1 2' })])])).toThrow(
      expect.objectContaining({ code: 'rejected' }),
    );
  });
});

describe('the state file on disk', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-state-'));
    path = join(folder, 'state');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is written only when it changes', async () => {
    expect(await writeStateFile(path, [backend([target(1)])])).toEqual({ isChanged: true });
    const before = await stat(path);
    expect(await writeStateFile(path, [backend([target(1)])])).toEqual({ isChanged: false });
    expect((await stat(path)).ino).toBe(before.ino);
    expect(await writeStateFile(path, [backend([target(1), target(2)])])).toEqual({ isChanged: true });
  });

  it('keeps the entries of other backends, and drops broken lines that would cost the whole file', async () => {
    const other = { ...backend([target(1)]), name: 'other' };
    await writeFile(path, `${composeStateFile([other, backend([target(9)])])}broken line\n`);
    await Promise.all([
      writeStateFile(path, [backend([target(1)])]),
      writeStateFile(path, [{ ...other, name: 'third' }]),
    ]);
    const text = await readFile(path, 'utf8');
    const names = text.trimEnd().split('\n').slice(2);
    expect(new Set(names.map((line) => line.split(' ')[1]))).toEqual(new Set(['other', 'third', 'web']));
    expect(names).toHaveLength(3);
    expect(foreignLines('1\n#\na b\n', new Set())).toEqual([]);
  });

  it('says what it could not write', async () => {
    await expect(writeStateFile(join(folder, 'no', 'such'), [backend([])])).rejects.toThrow(
      expect.objectContaining({ code: 'unavailable' }),
    );
  });
});
