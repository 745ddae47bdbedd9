import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createModuleCheck, moduleSchema } from '../../../src/check/module.ts';
import { runProbe } from '../../../src/check/probing.ts';
import { systemClock } from '../../../src/time/clock.ts';

const never = new AbortController().signal;
const target = { id: 'i-1', name: 'web 1', address: '127.0.0.1', port: 80, group: 'web' };
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsdo-module-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const check = (path: string, options: object = {}) =>
  createModuleCheck(moduleSchema.parse({ kind: 'module', path, options }), {
    service: 'web',
    domain: 'web.example.org',
    clock: systemClock,
  });
const ask = (path: string, options: object = {}) => check(path, options).check(target, never);
const answering = (expression: string) =>
  `export const createCheck = (options, context) => ({ check: async (target) => ${expression} });`;

describe('a check of the user’s own', () => {
  it('is given its options, its place and the target, and says whether that is up and why', async () => {
    const path = file(
      'a.mjs',
      answering('({ up: options.up, reason: JSON.stringify([context, target]), totalMs: 7 })'),
    );
    const up = await ask(path, { up: true });
    expect(up).toMatchObject({ result: 'up', code: 'ok', totalMs: 7 });
    expect(JSON.parse(up.message)).toEqual([
      { name: 'web', domain: 'web.example.org' },
      { id: 'i-1', name: 'web 1', address: '127.0.0.1', port: 80 },
    ]);
    expect(await ask(path, { up: false })).toMatchObject({ result: 'down', code: 'extension' });
    expect(await ask(file('b.mjs', answering('true')))).toMatchObject({ result: 'up' });
    expect(await ask(file('c.mjs', answering('false')))).toMatchObject({ result: 'down' });
  });

  it.each([
    ['that throws', answering("Promise.reject(new Error('queue is gone'))"), /queue is gone/],
    ['that answers in another shape', answering("'fine'"), /expected true, false or \{up, reason\}/],
    ['that exports something else', 'export const create = 1;', /export a function createCheck/],
    ['that makes nothing', 'export const createCheck = () => undefined;', /have a method check/],
    [
      'whose maker fails',
      "export const createCheck = () => { throw new Error('no options'); };",
      /createCheck failed: no options/,
    ],
    ['that is no JavaScript', 'export const = ;', /cannot be loaded/],
  ])('%s says nothing against the target', async (_, text, message) => {
    const probe = await ask(file('d.mjs', text));
    expect(probe).toMatchObject({ result: 'unknown', code: 'error' });
    expect(probe.message).toMatch(message);
  });

  it('may come later than hsdo', async () => {
    const path = join(folder, 'late.mjs');
    const late = check(path);
    expect(await late.check(target, never)).toMatchObject({ result: 'unknown', code: 'error' });
    file('late.mjs', answering('true'));
    expect(await late.check(target, never)).toMatchObject({ result: 'up' });
  });

  it('that hangs is over when its time is', async () => {
    const hanging = file('e.mjs', answering('new Promise(() => {})'));
    const rules = { timeoutMs: 200, retries: 0, clock: systemClock };
    const probe = await runProbe(check(hanging), target, rules, never);
    expect(probe).toMatchObject({ result: 'down', code: 'timeout' });
  });

  it('may be TypeScript, as the example is', async () => {
    let waiting = 5;
    const server = createServer((_, response) => response.end(JSON.stringify({ waiting })));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const example = check('conf/examples/extensions/queue-check.ts', { maxWaiting: 10 });
      expect(await example.check({ ...target, port }, never)).toMatchObject({ result: 'up' });
      waiting = 11;
      const message = '11 jobs wait, at most 10 are well';
      expect(await example.check({ ...target, port }, never)).toMatchObject({ result: 'down', message });
    } finally {
      server.close();
    }
  });
});
