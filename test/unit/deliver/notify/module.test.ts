import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotifier, notifierSchema } from '../../../../src/deliver/notify/notifiers.ts';
import type { NotifierContext } from '../../../../src/deliver/notify/options.ts';
import type { Notice } from '../../../../src/model/notice.ts';
import { systemClock } from '../../../../src/time/clock.ts';
import { startAt } from '../../../fixtures/lists.ts';
import { silentLog } from '../../../fixtures/log.ts';

const never = new AbortController().signal;
const event = { id: 'web-3-1', kind: 'failover', at: startAt, service: 'web', target: 'b', from: 'a' } as const;
const notice: Notice = {
  id: 'web-3',
  cluster: 'prod',
  service: 'web',
  state: 'alert',
  title: 'web: b',
  events: [event],
};
const nothingKept = { list: async () => [], put: async () => {}, delete: async () => {} };
const context: NotifierContext = { name: 'own', keep: nothingKept, clock: systemClock, log: silentLog };
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsdo-module-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const notifier = (path: string, options: object = {}) =>
  createNotifier(notifierSchema.parse({ kind: 'module', name: 'own', path, options }), context);

describe('a notifier of the user’s own', () => {
  it('gets whole notices, as the example does', async () => {
    const file = join(folder, 'notices');
    const example = notifier('conf/examples/extensions/line-notifier.mjs', { file });
    await example.notify(notice, never);
    await example.notify({ ...notice, id: 'web-4' }, never);
    expect(readFileSync(file, 'utf8')).toBe('own web-3 failover: web: b\nown web-4 failover: web: b\n');
  });

  it('that throws says whether trying again may help', async () => {
    const path = join(folder, 'own.mjs');
    const thrown = "Object.assign(new Error('quota'), { retryAfterMs: 60000 })";
    writeFileSync(path, `export const createNotifier = () => ({ notify: async () => { throw ${thrown}; } });`);
    const error: unknown = await notifier(path)
      .notify(notice, never)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'unavailable', retryAfterMs: 60_000 });
    expect(String(error)).toMatch(/own\.mjs" could not tell "web: b": quota/);
  });
});
