import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSwitcher, switcherSchema } from '../../../../src/deliver/switch/switchers.ts';
import { systemClock } from '../../../../src/time/clock.ts';

const never = new AbortController().signal;
const entry = { name: 'primary', address: '192.0.2.1', port: 80 };
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsdo-module-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const switcher = (path: string, options: object = {}) =>
  createSwitcher(switcherSchema.parse({ kind: 'module', path, options }), { service: 'web', clock: systemClock });

function written(text: string): string {
  const path = join(folder, 'own.mjs');
  writeFileSync(path, text);
  return path;
}

describe('a switcher of the user’s own', () => {
  it('is asked where the outside points, and lets it point elsewhere, as the example does', async () => {
    const file = join(folder, 'active');
    const example = switcher('conf/examples/extensions/file-switcher.mjs', { file });
    expect(await example.current(never)).toBeUndefined();
    await example.switchTo(entry, never);
    expect(readFileSync(file, 'utf8')).toBe('192.0.2.1\n');
    expect(await example.current(never)).toBe('192.0.2.1');
  });

  it.each([
    ["new Error('no route')", { code: 'unavailable', message: /could not switch to "primary": no route/ }],
    ["Object.assign(new Error('no right'), { code: 'rejected' })", { code: 'rejected' }],
    ["Object.assign(new Error('busy'), { retryAfterMs: 1500 })", { code: 'unavailable', retryAfterMs: 1500 }],
    ["'text alone'", { code: 'unavailable', message: /text alone/ }],
  ])('that throws %s says with it whether trying again may help', async (thrown, expected) => {
    const text = `export const createSwitcher = () => ({ current: async () => 7, switchTo: async () => { throw ${thrown}; } });`;
    const own = switcher(written(text));
    const error: unknown = await own.switchTo(entry, never).catch((reason: unknown) => reason);
    const { message, ...rest } = { message: /Extension/, ...expected };
    expect(error).toMatchObject(rest);
    expect(String(error)).toMatch(message);
    await expect(own.current(never)).rejects.toThrow(/answered number, expected a name, an address or nothing/);
  });
});
