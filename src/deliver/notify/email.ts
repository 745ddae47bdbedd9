import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Notice } from '../../model/notice.ts';
import { headlineOf, linesOf } from './compose.ts';
import type { Notifier } from './notifier.ts';
import { commonOptions, type NotifierContext, notifierName, secretText } from './options.ts';

/** A bare address, or one with a name before it; nothing that could become a second line or a second recipient. */
const address = z
  .string()
  .max(320)
  .regex(
    /^([^\p{Cc}<>,;:"@]{1,100} <[^\p{Cc}\s<>,;:"@()]+@[^\p{Cc}\s<>,;:"@()]+>|[^\p{Cc}\s<>,;:"@()]+@[^\p{Cc}\s<>,;:"@()]+)$/u,
    'expected an address, such as ops@example.org or Ops <ops@example.org>',
  );

const host = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'expected a host name or an IP address');

export const emailSchema = z.strictObject({
  kind: z.literal('email'),
  name: notifierName.default('email-anon'),
  smtp: z.strictObject({
    server: host,
    /** Default: 465 with ssl, 587 with starttls, else 25. */
    port: z.int().min(1).max(65_535).optional(),
    /** Without it STARTTLS is used where it is offered, and demanded where a password is sent. */
    security: z.enum(['ssl', 'starttls', 'none']).optional(),
    username: z.string().min(1).max(320).optional(),
    password: secretText(1).optional(),
    /** PEM file of the authorities to believe instead of the system's. */
    ca: z.string().min(1).optional(),
    ignoreTlsErrors: z.boolean().default(false),
  }),
  from: address,
  to: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(address).min(1).max(100)),
  ...commonOptions,
});

export type EmailConfig = z.output<typeof emailSchema>;

const ports = { ssl: 465, starttls: 587, none: 25 };
/** How many notices are remembered that some of the recipients have and others do not. */
const mostPartial = 8;

const bareOf = (text: string) => /<([^>]+)>$/.exec(text)?.[1] ?? text;
/** What stands after the @ of Message-IDs. */
const domainOf = (text: string) => bareOf(text).split('@')[1] ?? 'localhost';

function textOf(notice: Notice): string {
  const what = notice.service === undefined ? 'the cluster itself' : `service ${notice.service}`;
  return [
    notice.title.replaceAll(/\p{Cc}+/gu, ' '),
    '',
    ...linesOf(notice),
    '',
    '-- ',
    `Cluster ${notice.cluster}, about ${what}. Notice ${notice.id}.`,
    '',
  ].join('\n');
}

/** Message-ID (RFC 5322, section 3.6.4): the same for every attempt, so that mail programs show it once. */
const messageIdOf = ({ cluster, id }: Notice, domain: string) =>
  `<${createHash('sha256').update(`${cluster}\n${id}`).digest('hex').slice(0, 32)}.hsdo@${domain}>`;

/** What nodemailer throws: one for the whole, or one that holds those of all recipients. */
interface SmtpError {
  readonly responseCode?: number | undefined;
  readonly recipient?: string | undefined;
  readonly rejectedErrors?: readonly SmtpError[] | undefined;
}

/** What SMTP's codes mean (RFC 5321, section 4.2.1): 4yz passes, 5yz does not; a refused login does not either. */
function failureOf(what: string, error: unknown): HsdoError {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const isFinal =
    (typeof responseCode === 'number' && responseCode >= 500) || (code === 'EAUTH' && !isPassing(responseCode));
  return new HsdoError(isFinal ? 'rejected' : 'unavailable', `${what}: ${describeError(error)}`);
}

const isPassing = (code: unknown) => typeof code === 'number' && code >= 400 && code < 500;

async function openTransport({ smtp, timeoutSeconds }: EmailConfig, baseFolder: string, what: string) {
  const { createTransport } = await import('nodemailer');
  const { server, username, password, ignoreTlsErrors } = smtp;
  const security = smtp.security ?? (password === undefined ? undefined : 'starttls');
  const ca =
    smtp.ca === undefined
      ? undefined
      : await readFile(resolve(baseFolder, smtp.ca), 'utf8').catch((error: unknown) => {
          throw new HsdoError(
            'unavailable',
            `${what}: cannot read ca ${JSON.stringify(smtp.ca)}: ${describeError(error)}`,
          );
        });
  const timeoutMs = timeoutSeconds * 1000;
  return createTransport({
    host: server,
    port: smtp.port ?? ports[security ?? 'none'],
    secure: security === 'ssl',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: !ignoreTlsErrors, ...(ca === undefined ? {} : { ca }) },
    ...(username === undefined ? {} : { auth: { user: username, pass: password?.reveal() ?? '' } }),
    // A server that says nothing keeps no connection open beyond the attempt.
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/**
 * Sends notices as mail for people (RFC 5322), over a connection of their own. Recipients that the server refuses for good are
 * left out while others take the mail; those that it refuses for the moment get it with a further attempt, alone.
 */
export function createEmail(config: EmailConfig, { name, log, baseFolder = '.' }: NotifierContext): Notifier {
  const what = `Cannot notify "${name}"`;
  /** By notice: who has it already. */
  const partial = new Map<string, Set<string>>();
  const all = config.to.map(bareOf);

  async function send(notice: Notice, to: readonly string[], signal: AbortSignal) {
    const transport = await openTransport(config, baseFolder, what);
    const close = () => transport.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      signal.throwIfAborted();
      return await transport.sendMail({
        from: config.from,
        to: [...config.to],
        envelope: { from: bareOf(config.from), to: [...to] },
        subject: headlineOf(notice),
        text: textOf(notice),
        messageId: messageIdOf(notice, domainOf(config.from)),
        // Answering machines keep still (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Hsdo-Notice-Id': notice.id },
      });
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** Who gets it with another attempt; throws when there is anybody. */
  function sortOut(notice: Notice, errors: readonly SmtpError[], hasAny: boolean): void {
    const later = errors.filter(({ responseCode }) => isPassing(responseCode));
    const refused = errors.filter((error) => !later.includes(error));
    const [first] = [...later, ...refused];
    partial.delete(notice.id);
    if (first === undefined) return;
    if (!hasAny && later.length === 0) throw failureOf(what, first);
    if (refused.length > 0)
      log.warn({ notifier: name, refused: refused.map(describeError) }, 'recipients of a mail are refused');
    if (later.length === 0) return;
    const waiting = new Set(later.map(({ recipient }) => recipient));
    if (hasAny) partial.set(notice.id, new Set(all.filter((one) => !waiting.has(one))));
    for (const id of [...partial.keys()].slice(0, -mostPartial)) partial.delete(id);
    throw failureOf(what, first);
  }

  return {
    async notify(notice, signal) {
      const has = partial.get(notice.id) ?? new Set<string>();
      const to = all.filter((one) => !has.has(one));
      try {
        const { rejectedErrors = [] } = await send(notice, to, signal);
        sortOut(notice, rejectedErrors, true);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof HsdoError) throw error;
        const { rejectedErrors = [] } = error as SmtpError;
        // Without any of these it is not about recipients.
        if (rejectedErrors.length === 0) throw failureOf(what, error);
        sortOut(notice, rejectedErrors, has.size > 0);
      }
    },
  };
}
