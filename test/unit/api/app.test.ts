import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import type { View } from '../../../src/api/view.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { secret } from '../../../src/model/secret.ts';

/** A view that notes what it was asked to do. */
function recordingView(fields: Partial<View> = {}): { view: View; asked: unknown[] } {
  const asked: unknown[] = [];
  const view: View = {
    problems: () => [],
    status: async () => ({
      node: 'n1',
      version: '1',
      roles: ['server'],
      at: 1,
      store: { kind: 'memory', refusals: [] },
      problems: [],
      observers: [],
      services: [],
    }),
    slots: async (service) => (service === 'web' ? [{ state: 'free', index: 1 }] : undefined),
    service: async () => undefined,
    decommission: async (...args) => void asked.push(['decommission', ...args]),
    releaseHold: async (...args) => void asked.push(['release', ...args]),
    forgetPrimary: async (...args) => void asked.push(['forget', ...args]),
    override: async (...args) => void asked.push(['override', ...args]),
    ...fields,
  };
  return { view, asked };
}

const local = { host: '127.0.0.1:8128' };
const json = { ...local, 'content-type': 'application/json' };

describe('the API without a token', () => {
  it('answers on a loopback name and refuses any other Host, as a page that rebinds its name would send', async () => {
    const app = createApp(recordingView().view, undefined);
    for (const host of ['127.0.0.1:8128', 'localhost', '[::1]:8128']) {
      expect((await app.request('/api/v1/status', { headers: { host } })).status).toBe(200);
    }
    for (const host of ['evil.example.org', '127.0.0.1.evil.example.org', '10.0.0.1']) {
      expect((await app.request('/api/v1/status', { headers: { host } })).status).toBe(403);
    }
  });

  it('takes a change only as JSON, which a web form cannot send', async () => {
    const { view, asked } = recordingView();
    const body = JSON.stringify({ target: 't1', state: 'drain' });
    const answer = await createApp(view, undefined).request('/api/v1/services/web/overrides', {
      method: 'POST',
      headers: local,
      body,
    });
    expect([answer.status, asked]).toEqual([415, []]);
  });
});

describe('the API with a token', () => {
  const app = createApp(recordingView().view, secret('right-token'));
  it.each([
    ['no token', {}, 401],
    ['a wrong token', { authorization: 'Bearer wrong' }, 403],
    ['the token as Bearer', { authorization: 'Bearer right-token' }, 200],
    ['the token as X-API-Key', { 'x-api-key': 'right-token' }, 200],
  ])('%s', async (_, headers, status) => {
    expect((await app.request('/api/v1/status', { headers: { host: 'hsdo.example.org', ...headers } })).status).toBe(
      status,
    );
  });

  it('leaves health and readiness open', async () => {
    expect((await app.request('/healthz')).status).toBe(200);
    expect((await app.request('/readyz')).status).toBe(200);
  });
});

describe('requests', () => {
  it('passes an override on with who asked', async () => {
    const { view, asked } = recordingView();
    const app = createApp(view, undefined);
    const body = JSON.stringify({ target: 'i-1', state: 'maint' });
    const answer = await app.request('/api/v1/services/web/overrides', {
      method: 'POST',
      headers: { ...json, 'x-hsdo-user': 'ann' },
      body,
    });
    expect(answer.status).toBe(202);
    await app.request('/api/v1/services/web/overrides/node%2Fweb-1', { method: 'DELETE', headers: json });
    expect(asked).toEqual([
      ['override', 'web', 'i-1', 'maint', 'ann'],
      ['override', 'web', 'node/web-1', undefined, 'api'],
    ]);
  });

  it('passes a request to forget the primaries on, with the name of whoever asks', async () => {
    const { view, asked } = recordingView();
    const path = '/api/v1/services/db/primary/forget';
    const answer = await createApp(view, undefined).request(path, {
      method: 'POST',
      headers: { ...json, 'x-hsdo-user': 'ann' },
    });
    expect([answer.status, asked]).toEqual([202, [['forget', 'db', 'ann']]]);
  });

  it.each([
    ['no body', undefined],
    ['no JSON', '{'],
    ['an unknown state', JSON.stringify({ target: 'x', state: 'down' })],
    ['a field too many', JSON.stringify({ target: 'x', state: 'drain', force: true })],
    ['a number as target', JSON.stringify({ target: 7, state: 'drain' })],
  ])('refuses %s with 422 and says why', async (_, body) => {
    const { view, asked } = recordingView();
    const init: RequestInit = { method: 'POST', headers: json };
    if (body !== undefined) init.body = body;
    const answer = await createApp(view, undefined).request('/api/v1/services/web/overrides', init);
    expect(answer.status).toBe(422);
    expect(((await answer.json()) as { error: string }).error).not.toBe('');
    expect(asked).toEqual([]);
  });

  it('refuses a body of more than 16 KiB', async () => {
    const body = JSON.stringify({ token: 'x'.repeat(20_000) });
    const headers = { ...json, 'content-length': String(body.length) };
    const answer = await createApp(recordingView().view, undefined).request('/api/v1/services/web/hold/release', {
      method: 'POST',
      headers,
      body,
    });
    expect(answer.status).toBe(413);
  });

  it('answers 409 with the reason when the store or the list says no, and 503 when it does not answer', async () => {
    const failing = (code: 'rejected' | 'unavailable') =>
      createApp(
        recordingView({
          releaseHold: async () => {
            throw new HsdoError(code, `it is ${code}`);
          },
        }).view,
        undefined,
      );
    const ask = (code: 'rejected' | 'unavailable') =>
      failing(code).request('/api/v1/services/web/hold/release', {
        method: 'POST',
        headers: json,
        body: '{"token":"hold-1"}',
      });
    const [refused, away] = [await ask('rejected'), await ask('unavailable')];
    expect([refused.status, await refused.json(), away.status]).toEqual([409, { error: 'it is rejected' }, 503]);
  });
});

describe('readiness', () => {
  it('names every part that is not ready', async () => {
    const problems = [{ part: 'store', message: 'it did not answer yet' }];
    const answer = await createApp(recordingView({ problems: () => problems }).view, undefined).request('/readyz');
    expect([answer.status, await answer.json()]).toEqual([503, { status: 'not ready', problems }]);
  });

  it('answers 404 for an unknown service and an unknown address', async () => {
    const app = createApp(recordingView().view, undefined);
    expect((await app.request('/api/v1/services/nosuch/slots', { headers: local })).status).toBe(404);
    expect((await app.request('/nosuch')).status).toBe(404);
  });
});
