import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { startProgram } from '../fixtures/program.ts';

const root = join(import.meta.dirname, '..', '..');
const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');

/** Runs the bench with these arguments and gives its exit code and everything that it printed. */
async function bench(...args: string[]) {
  const program = startProgram(process.execPath, [tsx, join(root, 'test', 'bench', 'main.ts'), ...args], { cwd: root });
  return { code: await program.exited, output: program.output() };
}

describeWith(['haproxy'], 'the bench', () => {
  it('measures one thing by name and tells machines what it found', async () => {
    const { code, output } = await bench('--only', 'idle-tick', '--json');
    expect(code, output).toBe(0);
    const { machine, sections } = JSON.parse(output) as {
      machine: { versions: Record<string, string> };
      sections: { name: string; figures: { summary: { count: number } }[]; notes: string[] }[];
    };
    expect(machine.versions['HAProxy']).toMatch(/^\d+\.\d+/);
    expect(sections.map(({ name }) => name)).toEqual(['idle-tick']);
    expect(sections[0]?.figures.every(({ summary }) => summary.count > 1)).toBe(true);
    expect(sections[0]?.notes[0]).toContain('on 1 connection: prompt, show servers state web.');
  });

  it('names what it can measure when asked for something else', async () => {
    const { code, output } = await bench('--only', 'everything');
    expect(code).toBe(64);
    expect(output).toContain('there is no measurement "everything"');
    expect(output).toContain('idle-tick, full-change');
  });
});
