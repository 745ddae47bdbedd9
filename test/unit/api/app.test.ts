import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import type { View } from '../../../src/api/view.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { recordingView } from '../../fixtures/recording-view.ts';

const local = { host: '127.0.0.1:8128' };
const json = { ...local, 'content-type': 'application/json' };
const nowhere = 'nowhere';

/** Asks an API whose view is changed in `fields`. */
async function ask(method: string, path: string, body?: unknown, fields: Partial<View> = {}) {
  const { view, asked } = recordingView(fields);
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const headers = { ...json, 'x-hsdo-user': 'ann' };
  const bugs: unknown[] = [];
  const app = createApp(view, { onBug: (error) => bugs.push(error) });
  const answer = await app.request(path, { method, headers, ...sent });
  const { status } = answer;
  return { status, answer, asked, bugs, content: (await answer.json()) as Record<string, unknown> };
}

const ann = { name: 'ann', from: nowhere };

describe('a change', () => {
  it.each([
    [
      'POST',
      '/services/web/overrides',
      { target: 'i-1', state: 'maint' },
      202,
      ['override', 'web', 'i-1', 'maint', ann],
    ],
    [
      'DELETE',
      '/services/web/overrides/node%2Fweb-1',
      undefined,
      202,
      ['override', 'web', 'node/web-1', undefined, ann],
    ],
    ['POST', '/services/web/hold/release', { token: 'hold-1' }, 202, ['release', 'web', 'hold-1', ann]],
    ['POST', '/services/db/primary/forget', undefined, 202, ['forget', 'db', ann]],
    ['POST', '/services/db/switchover', { target: 'db-2' }, 202, ['switchover', 'db', 'db-2', ann]],
    ['DELETE', '/services/db/switchover', undefined, 202, ['purge', ['db'], ann]],
    ['DELETE', '/switchover', undefined, 202, ['purge', ['web', 'db'], ann]],
    ['POST', '/services/web/maintenance', { minutes: 30 }, 202, ['maintain', 'web', 30, ann]],
    ['DELETE', '/services/web/maintenance', undefined, 202, ['maintain', 'web', undefined, ann]],
    ['DELETE', '/nodes/server-2', undefined, 200, ['decommission', 'server-2', ann]],
    ['DELETE', '/observers/server-2', undefined, 200, ['decommission', 'server-2', ann]],
  ])('%s %s is passed on with who asked', async (method, path, body, status, wanted) => {
    const done = await ask(method, `/api/v1${path}`, body);
    expect([done.status, done.asked]).toEqual([status, [wanted]]);
  });

  it.each([
    ['no body', undefined],
    ['no JSON', '{'],
    ['an unknown state', { target: 'x', state: 'down' }],
    ['a field too many', { target: 'x', state: 'drain', force: true }],
    ['a number as target', { target: 7, state: 'drain' }],
  ])('with %s is refused with 422 and the reason', async (_, body) => {
    const { status, content, asked } = await ask('POST', '/api/v1/services/web/overrides', body);
    expect([status, asked]).toEqual([422, []]);
    expect(content['error']).not.toBe('');
  });

  it('with several faults is refused with each of them and its path', async () => {
    const { content } = await ask('POST', '/api/v1/services/web/overrides', { target: 7, state: 'down' });
    expect(content['error']).toMatch(/target: .*; state: /);
  });

  it('of more than 16 KiB is refused', async () => {
    const { status, asked } = await ask('POST', '/api/v1/services/web/hold/release', { token: 'x'.repeat(20_000) });
    expect([status, asked]).toEqual([413, []]);
  });

  it('is answered by 409 when cluster or list say no, by 503 when the store is away, and by 500 when hsdo errs', async () => {
    const failing = (error: Error) =>
      ask(
        'POST',
        '/api/v1/services/web/hold/release',
        { token: 'hold-1' },
        { releaseHold: () => Promise.reject(error) },
      );
    const refused = await failing(new HsdoError('rejected', 'it is refused'));
    expect([refused.status, refused.content]).toEqual([409, { error: 'it is refused' }]);
    expect((await failing(new HsdoError('unavailable', 'it is away'))).status).toBe(503);
    const bug = await failing(new TypeError('x is not a function'));
    expect([bug.status, bug.bugs.length]).toEqual([500, 1]);
    expect(JSON.stringify(bug.content)).not.toContain('not a function');
  });

  it('that purges a service without a switchover is refused', async () => {
    expect((await ask('DELETE', '/api/v1/services/db/switchover', undefined, { purge: async () => [] })).status).toBe(
      409,
    );
  });
});

describe('what is not there', () => {
  it('is answered by 404, with the nearest service where its name is unknown', async () => {
    for (const path of [
      '/services/webb',
      '/services/webb/slots',
      '/services/webb/candidates',
      '/events?service=webb',
    ]) {
      const { status, content } = await ask('GET', `/api/v1${path}`);
      expect([path, status, content]).toEqual([path, 404, { error: 'no service is called "webb"; did you mean web?' }]);
    }
    const strange = await ask('GET', '/api/v1/services/printers');
    expect(strange.content).toEqual({ error: 'no service is called "printers"; expected web, db' });
    const change = await ask('POST', '/api/v1/services/webb/switchover', { target: 'x' });
    expect([change.status, change.asked]).toEqual([404, []]);
    expect((await ask('GET', '/nosuch')).status).toBe(404);
  });

  it('is answered by 405 where another method is, which Allow names (RFC 9110 section 15.5.6)', async () => {
    for (const [method, path, allow] of [
      ['POST', '/api/v1/status', 'GET, HEAD'],
      ['GET', '/api/v1/services/web/switchover', 'POST, DELETE'],
      ['PUT', '/api/v1/services/web/overrides', 'GET, HEAD, POST'],
      ['DELETE', '/healthz', 'GET, HEAD'],
    ] as const) {
      const { status, answer } = await ask(method, path);
      expect([path, status, answer.headers.get('allow')]).toEqual([path, 405, allow]);
    }
  });
});

describe('a question', () => {
  it('takes its query as described and refuses another one', async () => {
    expect((await ask('GET', '/api/v1/events?service=web&limit=7')).asked).toEqual([
      ['events', { service: 'web', limit: 7 }],
    ]);
    expect((await ask('GET', '/api/v1/events')).asked).toEqual([['events', { limit: 100 }]]);
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'limits=1']) {
      expect((await ask('GET', `/api/v1/events?${query}`)).status).toBe(422);
    }
  });

  it('is never kept by whoever stands between', async () => {
    expect((await ask('GET', '/api/v1/cluster')).answer.headers.get('cache-control')).toBe('no-store');
  });

  it('for readiness names every part that is not ready', async () => {
    const problems = [{ part: 'store', message: 'it did not answer yet' }];
    const { status, content } = await ask('GET', '/readyz', undefined, { problems: () => problems });
    expect([status, content]).toEqual([503, { status: 'not ready', problems }]);
  });
});
