import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { secret } from '../../../src/model/secret.ts';
import { recordingView } from '../../fixtures/recording-view.ts';

const local = { host: '127.0.0.1:8128' };
const json = { 'content-type': 'application/json' };
const overrides = '/api/v1/services/web/overrides';
const body = JSON.stringify({ target: 't1', state: 'drain' });
const tokens = [
  { name: 'board', role: 'read', token: secret('token-of-the-board') },
  { name: 'ann', role: 'operate', token: secret('token-of-ann') },
] as const;

const change = (headers: Record<string, string>) => {
  const { view, asked } = recordingView();
  const sent = { method: 'POST', headers: { ...json, ...headers }, body };
  return {
    asked,
    plain: createApp(view).request(overrides, sent),
    locked: createApp(view, { tokens }).request(overrides, sent),
  };
};

describe('the API without a token', () => {
  it('answers on a loopback name and refuses any other Host, as a page that rebinds its name would send', async () => {
    const app = createApp(recordingView().view);
    for (const host of ['127.0.0.1:8128', 'localhost', '[::1]:8128']) {
      expect((await app.request('/api/v1/status', { headers: { host } })).status).toBe(200);
    }
    for (const host of ['evil.example.org', '127.0.0.1.evil.example.org', '10.0.0.1']) {
      expect((await app.request('/api/v1/status', { headers: { host } })).status).toBe(403);
    }
  });

  it('takes a change only as JSON, which a web form cannot send', async () => {
    const { plain, asked } = change({ ...local, 'content-type': 'text/plain' });
    expect([(await plain).status, asked]).toEqual([415, []]);
  });

  it('takes no change from a page of another origin', async () => {
    for (const origin of ['http://evil.example.org', 'http://127.0.0.1:9000', 'null']) {
      const { plain, asked } = change({ ...local, origin });
      expect([(await plain).status, asked]).toEqual([403, []]);
    }
    expect((await change({ ...local, origin: 'http://127.0.0.1:8128' }).plain).status).toBe(202);
  });

  it('takes the name that a user of this machine calls himself, without control characters and not without end', async () => {
    const { plain, asked } = change({ ...local, 'x-hsdo-user': `a\tnn${'x'.repeat(200)}` });
    await plain;
    expect(asked).toEqual([['override', 'web', 't1', 'drain', { name: `ann${'x'.repeat(97)}`, from: 'nowhere' }]]);
  });
});

describe('the API with tokens', () => {
  const app = createApp(recordingView().view, { tokens });
  const ask = (headers: Record<string, string>) =>
    app.request('/api/v1/status', { headers: { host: 'hsdo.example.org', ...headers } });

  it.each([
    ['no token', {}, 401],
    ['a wrong token', { authorization: 'Bearer wrong' }, 401],
    ['an empty token', { authorization: 'Bearer ' }, 401],
    ['the beginning of a token', { 'x-api-key': 'token-of-ann'.slice(0, -1) }, 401],
    ['a token as Bearer', { authorization: 'Bearer token-of-ann' }, 200],
    ['a token as X-API-Key', { 'x-api-key': 'token-of-the-board' }, 200],
  ])('%s', async (_, headers, status) => {
    expect((await ask(headers)).status).toBe(status);
  });

  it('says how one gets in (RFC 6750)', async () => {
    expect((await ask({})).headers.get('www-authenticate')).toBe('Bearer realm="hsdo"');
    expect((await ask({ 'x-api-key': 'x' })).headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('lets a token that may only read ask everything but the audit, and change nothing', async () => {
    const { locked, asked } = change({ 'x-api-key': 'token-of-the-board' });
    const answer = await locked;
    expect([answer.status, asked]).toEqual([403, []]);
    expect(await answer.json()).toEqual({ error: 'expected a token of role operate: "board" may only read' });
    expect((await app.request('/api/v1/audit', { headers: { 'x-api-key': 'token-of-the-board' } })).status).toBe(403);
  });

  it('notes whose token it was; the name of a user stands beside it, as anybody may send one', async () => {
    const { locked, asked } = change({ 'x-api-key': 'token-of-ann', 'x-hsdo-user': 'root' });
    expect((await locked).status).toBe(202);
    expect(asked).toEqual([['override', 'web', 't1', 'drain', { name: 'ann (root)', from: 'nowhere' }]]);
  });

  it('leaves health and readiness open, and nothing else', async () => {
    expect((await app.request('/healthz')).status).toBe(200);
    expect((await app.request('/readyz')).status).toBe(200);
    expect((await app.request('/api/v1/openapi.json')).status).toBe(401);
  });
});
