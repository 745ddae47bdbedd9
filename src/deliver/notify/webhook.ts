import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { reasonOf } from '../../http/http-call.ts';
import { reach } from '../../http/reach.ts';
import { HsdoError } from '../../model/error.ts';
import type { ClusterEvent } from '../../model/event.ts';
import type { Notice } from '../../model/notice.ts';
import { headlineOf, linesOf } from './compose.ts';
import type { Notifier } from './notifier.ts';
import { assertAccepted, notifyCall } from './notify-call.ts';
import { commonOptions, type NotifierContext, notifierName, secretText, secretUrl } from './options.ts';
import { sentenceOf } from './words.ts';

const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** Headers of the request that are not for the configuration to say. */
const reserved: readonly string[] = ['host', 'content-length', 'transfer-encoding', 'connection', 'content-type'];

const headers = z
  .record(
    z
      .string()
      .regex(headerName, 'expected the name of a header')
      .refine((name) => !reserved.includes(name.toLowerCase()), 'expected a header that is not made by hsdo itself'),
    secretText(1),
  )
  .default({});

export const webhookSchema = z.strictObject({
  kind: z.literal('webhook'),
  name: notifierName.default('webhook-anon'),
  /** Where notices are sent; those of chats are secrets. */
  url: secretUrl,
  /** `generic`: the whole notice as JSON; the others take what is made for people. */
  format: z.enum(['generic', 'slack', 'mattermost', 'teams']).default('generic'),
  headers,
  /** Signs what is sent in the generic format. */
  secret: secretText(8).optional(),
  ...commonOptions,
});

export type WebhookConfig = z.output<typeof webhookSchema>;

/** What a program gets: everything, in words that stay. */
function genericBody(notice: Notice): string {
  const events = notice.events.map((event: ClusterEvent) => ({
    ...event,
    at: new Date(event.at).toISOString(),
    text: sentenceOf(event),
  }));
  return JSON.stringify({ format: 1, ...notice, headline: headlineOf(notice), events });
}

/** Slack's mrkdwn takes these three for its own (its manual, "Escaping text"); Mattermost reads the same. */
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** In Mattermost's Markdown a line of code shows everything as it is; Slack and Mattermost both cut what is much longer. */
function chatBody(notice: Notice): string {
  const lines = linesOf(notice).join('\n').replaceAll('```', "'''");
  const fence = '```';
  const text = `${headlineOf(notice)}\n${fence}\n${lines.slice(0, 12_000)}\n${fence}`;
  return JSON.stringify({ text: escaped(text) });
}

/** A message with an adaptive card 1.4, as the incoming webhooks of Teams' workflows take it. */
function teamsBody(notice: Notice): string {
  const colors = { alert: 'Attention', reminder: 'Warning', resolved: 'Good', info: 'Default' };
  const line = (text: string) => ({ type: 'TextBlock', text: text.replaceAll(/[\\`*_[\]()#~>]/g, '\\$&'), wrap: true });
  const head = { ...line(headlineOf(notice)), weight: 'Bolder', color: colors[notice.state] };
  // A message may have 28 KB.
  const lines = linesOf(notice)
    .slice(0, 50)
    .map((text) => line(text.slice(0, 250)));
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [head, ...lines],
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', content };
  return JSON.stringify({ type: 'message', attachments: [attachment] });
}

const bodies: Readonly<Record<WebhookConfig['format'], (notice: Notice) => string>> = {
  generic: genericBody,
  slack: chatBody,
  mattermost: chatBody,
  teams: teamsBody,
};

/**
 * Posts notices to a URL. In the generic format with a `secret` the header `Hsdo-Signature: t=<unix seconds>,v1=<hex>` signs
 * `<t>.<body>` by HMAC-SHA256 (RFC 2104), so that a receiver knows sender and age; `Hsdo-Notice-Id` names a notice over all
 * attempts.
 */
export function createWebhook(config: WebhookConfig, { name, clock }: NotifierContext): Notifier {
  const what = `Cannot notify "${name}"`;
  const own = Object.fromEntries(Object.entries(config.headers).map(([key, value]) => [key, value.reveal()]));
  const signed = (body: string): Record<string, string> => {
    if (config.secret === undefined || config.format !== 'generic') return {};
    const t = Math.floor(clock.now() / 1000);
    const mac = createHmac('sha256', config.secret.reveal()).update(`${t}.${body}`).digest('hex');
    return { 'Hsdo-Signature': `t=${t},v1=${mac}` };
  };
  return {
    async notify(notice, signal) {
      const body = bodies[config.format](notice);
      const headers = {
        ...own,
        'Content-Type': 'application/json; charset=utf-8',
        'Hsdo-Notice-Id': notice.id,
        ...signed(body),
      };
      const request = { url: config.url.reveal(), method: 'POST', headers, body } as const;
      assertAccepted(what, await notifyCall(what, request, signal));
    },
    async verify(signal) {
      const url = config.url.reveal();
      await reach(url, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new HsdoError('unavailable', `${what}: ${reasonOf(error)}`);
      });
      const isSecure = new URL(url).protocol === 'https:';
      return { says: `its host can be reached${isSecure ? ' by TLS' : ''}; nothing was posted there` };
    },
  };
}
