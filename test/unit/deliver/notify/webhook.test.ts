import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotifier, notifierSchema } from '../../../../src/deliver/notify/notifiers.ts';
import { createFakeClock } from '../../../fixtures/clock.ts';
import { contextOf, event, never, noticeOf } from '../../../fixtures/notices.ts';
import { freePort } from '../../../fixtures/ports.ts';
import { startWebhookSink, type WebhookSink } from '../../../fixtures/webhook-sink.ts';

let sink: WebhookSink;
beforeEach(async () => {
  sink = await startWebhookSink();
});
afterEach(() => sink.stop());

const clock = createFakeClock();
const webhook = (options: object = {}) =>
  createNotifier(notifierSchema.parse({ kind: 'webhook', url: sink.url, ...options }), contextOf({ clock }));
const failure = (options: object = {}) =>
  webhook(options)
    .notify(noticeOf(), never)
    .then(
      () => undefined,
      (error: unknown) => error,
    );

describe('a webhook', () => {
  it('gets the whole notice, signed so that a receiver knows sender and age', async () => {
    const nasty = noticeOf({ events: [event({ target: '"<b>\u2028`' })] });
    await webhook({ secret: 'over-eight', headers: { 'X-Team': 'ops' } }).notify(nasty, never);
    const [{ method, path, headers, body } = { method: '', path: '', headers: {}, body: '' }] = sink.posted;
    expect([method, path]).toEqual(['POST', '/hook']);
    expect(JSON.parse(body)).toMatchObject({
      format: 1,
      id: 'web-7',
      cluster: 'hsdo',
      service: 'web',
      state: 'alert',
      headline: '[hsdo] ALERT web: the service is DOWN: no target is up',
      events: [{ id: 'web-7-1', kind: 'service-down', target: '"<b>\u2028`', at: '2023-11-14T22:13:20.000Z' }],
    });
    const [, t = '', v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['hsdo-signature'])) ?? [];
    expect(t).toBe('1700000000');
    expect(v1).toBe(createHmac('sha256', 'over-eight').update(`${t}.${body}`).digest('hex'));
    expect(headers).toMatchObject({ 'hsdo-notice-id': 'web-7', 'x-team': 'ops' });
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });

  it('speaks as Slack, Mattermost and Teams take it, with nothing in it that they would read as theirs', async () => {
    const nasty = noticeOf({ title: 'web: <!channel> & *all*', events: [event({ target: '```<x>' })] });
    for (const format of ['slack', 'mattermost', 'teams']) await webhook({ format }).notify(nasty, never);
    const [slack, mattermost, teams] = sink.posted.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(Object.keys(slack ?? {})).toEqual(['text']);
    expect(slack?.['text']).toMatch(/^\[hsdo\] ALERT web: &lt;!channel&gt; &amp; \*all\*\n```\n2023-11-14 [^`]*\n```$/);
    expect(mattermost).toEqual(slack);
    expect(teams).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            body: [{ text: expect.stringContaining('\\*all\\*'), color: 'Attention' }, {}],
          },
        },
      ],
    });
  });

  it('is asked again after a failure that passes, when it says so', async () => {
    for (const status of [408, 425, 429, 500, 503]) {
      sink.answer({ status, headers: { 'Retry-After': '7' } });
      expect(await failure()).toMatchObject({ code: 'unavailable', retryAfterMs: 7000 });
    }
    // Both by the clock of who answers, which may be wrong.
    const [at, again] = [0, 90_000].map((ms) => new Date(Date.UTC(2001, 1, 1) + ms).toUTCString());
    sink.answer({ status: 503, headers: { Date: at ?? '', 'Retry-After': again ?? '' } });
    expect(await failure()).toMatchObject({ code: 'unavailable', retryAfterMs: 90_000 });
  });

  it('has refused for good with any other code, and is never left for another place', async () => {
    sink.answer({ status: 404, body: `no such hook ${'x'.repeat(100_000)}` });
    expect(await failure()).toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(
        /^Cannot notify "ops": the answer was 404 \(no such hook x{0,200}\), expected 2xx$/,
      ),
    });
    sink.answer({ status: 302, headers: { Location: `${sink.url}/elsewhere` } });
    expect(await failure()).toMatchObject({ code: 'rejected' });
    expect(sink.posted).toHaveLength(2);
  });

  it('that cannot be reached does not tell its URL', async () => {
    const url = `http://127.0.0.1:${await freePort()}/secret-path`;
    const error = await failure({ url });
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('ECONNREFUSED') });
    expect(String(error)).not.toContain('secret-path');
  });

  it('that says nothing ends with its signal', async () => {
    sink.answer('silence');
    const controller = new AbortController();
    const sent = webhook().notify(noticeOf(), controller.signal);
    controller.abort(new Error('time is over'));
    await expect(sent).rejects.toThrow('time is over');
  });
});
