import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from '../../fixtures/program.ts';
import type { LoadOrder, LoadOutcomes } from './load-order.ts';
import { generatorCore } from './servers.ts';

/**
 * Runs a generator on the processor that is its own.
 *
 * @throws Error with what the generator printed when it came to no outcome
 */
export async function generate(order: LoadOrder): Promise<LoadOutcomes> {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-bench-'));
  try {
    const file = join(folder, 'order.json');
    writeFileSync(file, JSON.stringify(order));
    const program = startProgram('taskset', [
      ...['--cpu-list', String(generatorCore), process.execPath, '--import', import.meta.resolve('tsx')],
      ...[join(import.meta.dirname, 'generator-process.ts'), file],
    ]);
    await program.exited;
    await program.closed;
    const last = program.stdout().trim().split('\n').at(-1) ?? '';
    if (!last.startsWith('{')) throw new Error(`the generator came to no outcome: ${program.output()}`);
    return JSON.parse(last) as LoadOutcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
