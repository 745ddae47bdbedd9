import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { z } from 'zod';
import { opened } from '../../http/reach.ts';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Verified } from '../../model/verified.ts';
import { withDeadline } from '../../time/deadline.ts';
import { secretText } from './options.ts';

const host = z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'expected a host name or an IP address');

/** The server that takes mails. */
export const smtpSchema = z.strictObject({
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
});

export interface SmtpPlace {
  readonly smtp: z.output<typeof smtpSchema>;
  readonly timeoutSeconds: number;
}

/** A server may let its greeting wait, against senders of spam, but not the connection. */
const mostConnectMs = 4000;
const ports = { ssl: 465, starttls: 587, none: 25 };

/** Codes after which the same may be taken later (RFC 5321, section 4.2.1). */
export const isPassing = (code: unknown) => typeof code === 'number' && code >= 400 && code < 500;

/** What SMTP's codes mean (RFC 5321, section 4.2.1): 4yz passes, 5yz does not; a refused login does not either. */
export function smtpFailure(what: string, error: unknown): HsdoError {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const isFinal =
    (typeof responseCode === 'number' && responseCode >= 500) || (code === 'EAUTH' && !isPassing(responseCode));
  return new HsdoError(isFinal ? 'rejected' : 'unavailable', `${what}: ${describeError(error)}`);
}

/** The way to the server as nodemailer takes it. @throws HsdoError `unavailable` where `ca` cannot be read. */
export async function smtpOptions({ smtp, timeoutSeconds }: SmtpPlace, baseFolder: string, what: string) {
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
  return {
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
  };
}

/** Goes as far as the login, and sends nothing. @throws HsdoError as for a mail. */
export async function greet(
  place: SmtpPlace,
  baseFolder: string,
  what: string,
  signal: AbortSignal,
): Promise<Verified> {
  const { auth, ...options } = await smtpOptions(place, baseFolder, what);
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const { host, port } = options;
  const connectMs = Math.min(options.connectionTimeout, mostConnectMs);
  const socket = await withDeadline(`${host}:${port}`, connectMs, signal, (inner) =>
    opened(connect({ host, port }), 'connect', inner),
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw smtpFailure(what, error);
  });
  const connection = new Connection({ ...options, connection: socket });
  const close = () => connection.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    signal.throwIfAborted();
    await step(connection, (done) => connection.connect(done));
    const answers = connection.secure ? 'greets, under TLS' : 'greets, without TLS';
    if (auth !== undefined && connection.allowsAuth) await step(connection, (done) => connection.login(auth, done));
    connection.quit();
    if (auth === undefined) return { says: `${answers}; no login is configured` };
    if (!connection.allowsAuth) {
      const remedy = 'name the port where mail is handed in (587 or 465), or leave out smtp.username and smtp.password';
      return { says: `${answers}, but offers no login: mails are sent without one`, remedy };
    }
    return { says: `${answers}; the login works` };
  } catch (error) {
    signal.throwIfAborted();
    throw smtpFailure(what, error);
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function step(connection: SMTPConnection, begin: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.on('error', reject);
    connection.once('end', () => reject(new Error('the server closed the connection')));
    begin((error) => (error ? reject(error) : resolve()));
  });
}
