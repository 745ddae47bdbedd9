import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { faultsOf, readImports } from './import-rules.ts';

const root = join(import.meta.dirname, '..', '..');
const folders: string[] = [];

/** A small repository with the given files. */
function plant(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-imports-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

async function faultsIn(files: Record<string, string>): Promise<string[]> {
  return faultsOf(await readImports(plant(files)));
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the import table', () => {
  it('is kept by every file of src', async () => {
    const graph = await readImports(root);
    // The reader once answered "nothing here" with a parser that it could not use: silence is no proof.
    expect(graph.files.length).toBeGreaterThan(10);
    expect(graph.imports.length).toBeGreaterThan(graph.files.length / 2);
    expect(faultsOf(graph)).toEqual([]);
  });

  it('lets imports go down, and packages be used where nothing is pure', async () => {
    const faults = await faultsIn({
      'src/model/slot.ts': 'export const size = 1;',
      'src/daemon/server.ts': `import pino from 'pino'; import { size } from '../model/slot.ts'; export const a = [pino, size];`,
    });
    expect(faults).toEqual([]);
  });

  it('finds an import that goes up, also of a type alone and also a dynamic one', async () => {
    const faults = await faultsIn({
      'src/model/slot.ts': `import type { Server } from '../daemon/server.ts'; export type S = Server;`,
      'src/store/store.ts': `export const load = () => import('../daemon/server.ts');`,
      'src/daemon/server.ts': 'export interface Server { a: 1 }',
    });
    expect(faults).toEqual([
      'model/slot.ts imports daemon/server.ts: model may not import daemon',
      'store/store.ts imports daemon/server.ts: store may not import daemon',
    ]);
  });

  it('finds a file that should only decide and reaches for more than the model', async () => {
    const faults = await faultsIn({
      'src/time/clock.ts': 'export const now = 1;',
      'src/assign/assign.ts': `import { hostname } from 'node:os'; import { now } from '../time/clock.ts'; export const a = [hostname, now];`,
      'src/deliver/haproxy/plan.ts': `import pino from 'pino'; export const p = pino;`,
    });
    expect(faults).toEqual([
      'assign/assign.ts is pure and imports "os"',
      'assign/assign.ts is pure and imports time/clock.ts',
      'deliver/haproxy/plan.ts is pure and imports "pino"',
    ]);
  });

  it('finds a plug-in that imports another or the map of all', async () => {
    const faults = await faultsIn({
      'src/discover/source.ts': 'export interface Source { a: 1 }',
      'src/discover/accept.ts': 'export const accept = 1;',
      'src/discover/sources.ts': `import { dns } from './dns.ts'; import { accept } from './accept.ts'; export const s = [dns, accept, () => import('./file.ts')];`,
      'src/discover/dns.ts': `import { accept } from './accept.ts'; import { file } from './file.ts'; export const dns = [accept, file];`,
      'src/discover/file.ts': 'export const file = 1;',
    });
    expect(faults).toEqual(['discover/dns.ts is a plug-in and imports the plug-in discover/file.ts']);
  });

  it('finds a cycle, a folder without a line in the table and an import from the tests', async () => {
    const faults = await faultsIn({
      'src/model/a.ts': `import { b } from './b.ts'; export const a = () => b;`,
      'src/model/b.ts': `import { a } from './a.ts'; export const b = () => a;`,
      'src/shared/c.ts': 'export const c = 1;',
      'src/time/d.ts': `import { e } from '../../test/e.ts'; export const d = e;`,
      'test/e.ts': 'export const e = 1;',
    });
    expect(faults).toEqual([
      'model/a.ts and model/b.ts are part of a cycle',
      'model/b.ts and model/a.ts are part of a cycle',
      'src/shared has no line in the import table',
      'time/d.ts imports test/e.ts, which is no file of src',
    ]);
  });
});
