import { createHash } from 'node:crypto';
import { z } from 'zod';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Notice } from '../../model/notice.ts';
import { headlineOf, linesOf } from './compose.ts';
import type { Notifier } from './notifier.ts';
import { commonOptions, type NotifierContext, notifierName } from './options.ts';
import { greet, isPassing, smtpFailure, smtpOptions, smtpSchema } from './smtp.ts';

/** A bare address, or one with a name before it; nothing that could become a second line or a second recipient. */
const address = z
  .string()
  .max(320)
  .regex(
    /^([^\p{Cc}<>,;:"@]{1,100} <[^\p{Cc}\s<>,;:"@()]+@[^\p{Cc}\s<>,;:"@()]+>|[^\p{Cc}\s<>,;:"@()]+@[^\p{Cc}\s<>,;:"@()]+)$/u,
    'expected an address, such as ops@example.org or Ops <ops@example.org>',
  );

export const emailSchema = z.strictObject({
  kind: z.literal('email'),
  name: notifierName.default('email-anon'),
  smtp: smtpSchema,
  from: address,
  to: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(address).min(1).max(100)),
  ...commonOptions,
});

export type EmailConfig = z.output<typeof emailSchema>;

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

async function openTransport({ smtp, timeoutSeconds }: EmailConfig, baseFolder: string, what: string) {
  const { createTransport } = await import('nodemailer');
  const options = await smtpOptions({ smtp, timeoutSeconds }, baseFolder, what);
  return createTransport({ ...options, disableFileAccess: true, disableUrlAccess: true });
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
    if (!hasAny && later.length === 0) throw smtpFailure(what, first);
    if (refused.length > 0)
      log.warn({ notifier: name, refused: refused.map(describeError) }, 'recipients of a mail are refused');
    if (later.length === 0) return;
    const waiting = new Set(later.map(({ recipient }) => recipient));
    if (hasAny) partial.set(notice.id, new Set(all.filter((one) => !waiting.has(one))));
    for (const id of [...partial.keys()].slice(0, -mostPartial)) partial.delete(id);
    throw smtpFailure(what, first);
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
        if (rejectedErrors.length === 0) throw smtpFailure(what, error);
        sortOut(notice, rejectedErrors, has.size > 0);
      }
    },
    verify: (signal) => greet(config, baseFolder, what, signal),
  };
}
