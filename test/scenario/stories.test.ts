import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { playStory } from './story.ts';

/** `UPDATE_STORIES=1 npx vitest run test/scenario` writes what happens now; read the difference before you commit it. */
const folder = new URL('./stories/', import.meta.url);

describe('a cluster on a fake clock behaves as its story tells', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))(
    '%s',
    async (name) => {
      const file = new URL(name, folder);
      const told = readFileSync(file, 'utf8');
      const played = await playStory(told);
      if (process.env['UPDATE_STORIES'] === '1') writeFileSync(file, played);
      else expect(played).toBe(told);
    },
    60_000,
  );

  it('the same way every time', async () => {
    const told = readFileSync(new URL('leader-dies.txt', folder), 'utf8');
    expect(await playStory(told)).toBe(await playStory(told));
  });
});
