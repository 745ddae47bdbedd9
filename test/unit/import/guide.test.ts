import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadAgentConfig } from '../../../src/agent/load.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { runCliHere } from '../../fixtures/cli.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const guide = readFileSync(join(root, 'docs/moving-in.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'hsdo-guide-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** The commands of one chapter, a line each. */
const commandsOf = (chapter: string) =>
  [...chapter.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));

/** Runs a line as a shell in the root of the repository would; a role is asked only whether it takes its configuration. */
async function type(line: string): Promise<number> {
  const [program, ...words] = line.split(' ').map((word) => (word === 'hsdo.yaml' ? join(folder, word) : word));
  if (program === 'export') {
    for (const word of words) vi.stubEnv(word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1));
    return 0;
  }
  expect(program).toBe('hsdo');
  const file = words[words.indexOf('--config') + 1];
  const env = { NODE_ID: 'n1', ...process.env };
  if (words[0] === '--agent') return loadAgentConfig({ file, env }).faults.length;
  if (words[0] === '--server') {
    const roles = { server: true, dns: words.includes('--dns') };
    return loadConfig({ file, env, roles }).faults.length;
  }
  const isImport = words[0] === 'import' && words.includes('--output');
  const { code, stderr } = await runCliHere(isImport ? [...words, '--force'] : words);
  expect(stderr, line).not.toContain('is wrong');
  return code ?? -1;
}

describe('the guide for those who move in', () => {
  const chapters = guide.split(/^## /m).slice(1);

  it('has a chapter for every predecessor', () => {
    const titles = chapters.map((chapter) => chapter.split('\n')[0]);
    expect(titles).toEqual(['HSDO', 'HAnoProxY', 'har', 'PyFailoverDNS', 'dhaf'].map((name) => `From ${name}`));
  });

  it.each(chapters.map((chapter) => [chapter.split('\n')[0] ?? '', chapter]))(
    'works as it is typed: %s',
    async (_, chapter) => {
      const commands = commandsOf(chapter);
      expect(commands.length).toBeGreaterThan(1);
      for (const command of commands) expect([command, await type(command)]).toEqual([command, 0]);
      // Nothing of one chapter makes the next one work.
      vi.unstubAllEnvs();
      rmSync(join(folder, 'hsdo.yaml'), { force: true });
    },
  );
});
