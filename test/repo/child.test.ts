import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-child-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const childModule = join(import.meta.dirname, '..', '..', 'scripts', 'child.mjs');

/** A script that runs `body` as npm start runs hsdo: in the foreground, by another process. */
function runThrough(name: string, body: string) {
  const inner = join(folder, `${name}-inner.mjs`);
  const outer = join(folder, `${name}.mjs`);
  writeFileSync(inner, body);
  writeFileSync(
    outer,
    `import { runInForeground } from ${JSON.stringify(childModule)};
     process.exitCode = await runInForeground(process.execPath, [${JSON.stringify(inner)}]);`,
  );
  return startProgram(process.execPath, [outer]);
}

describe('a program in the foreground of a script', () => {
  it('passes its exit code and its output on', async () => {
    const program = runThrough('plain', `console.log('hello'); process.exitCode = 78;`);
    expect(await program.exited).toBe(78);
    expect(program.output()).toContain('hello');
  });

  it('gets each signal once, may end in its own time, and has the last word', async () => {
    const seen = join(folder, 'seen');
    const program = runThrough(
      'signals',
      `import { appendFileSync } from 'node:fs';
       for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => {
         appendFileSync(${JSON.stringify(seen)}, name + ' ');
         if (name === 'SIGTERM') process.exit(7);
       });
       setInterval(() => {}, 1000);
       console.log('listening');`,
    );
    await until('the inner program listens', () => program.output().includes('listening'));
    program.signal('SIGINT');
    await until('the interrupt arrives', () => readFileSync(seen, 'utf8') === 'SIGINT ');
    program.signal('SIGTERM');
    expect(await program.exited).toBe(7);
    expect(readFileSync(seen, 'utf8')).toBe('SIGINT SIGTERM ');
  });

  it('reports a signal that ended it as shells do', async () => {
    expect(await runThrough('killed', `process.kill(process.pid, 'SIGKILL');`).exited).toBe(137);
  });
});
