import { failed, type Probe, type ProbeCode, unasked } from '../model/probe.ts';
import { noTls, wrongProtocol } from './postgres-stream.ts';

/** How far a probe got; what an error means depends on it. */
export type Stage = 'connect' | 'tls' | 'login' | 'query';

/** What is needed to name things in a sentence, and to keep the password out of it. */
export interface Naming {
  /** `address:port`. */
  readonly where: string;
  readonly user: string;
  readonly database: string;
  readonly password: string;
}

/** An error that the server sent itself, with its SQLSTATE. */
export interface ServerError {
  readonly code: string;
  readonly message: string;
}

const byErrno: Readonly<Record<string, ProbeCode>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  ECONNABORTED: 'reset',
  EPIPE: 'reset',
};

/** What this machine lacks, which says nothing about the target. */
const ownTrouble = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EPERM', 'EACCES', 'EAGAIN']);

/** User, password, permission to connect, or a database that is not there (PostgreSQL manual, appendix A). */
const loginStates = new Set(['28000', '28P01', '3D000', '42501', '0P000']);
const tooManyConnections = '53300';

/** A text of the server as a part of a sentence: one line, without the password, at most 160 characters. */
function quoted(text: string, { password }: Naming): string {
  const clean = (password === '' ? text : text.replaceAll(password, '***')).replaceAll(
    /[^\x20-\x7e\u00a0-\u024f]/g,
    '?',
  );
  return `"${clean.length > 160 ? `${clean.slice(0, 157)}...` : clean}"`;
}

/** The probe of a server that answered with an error of its own. */
export function probeOfServerError({ code, message }: ServerError, naming: Naming): Probe {
  const says = `PostgreSQL at ${naming.where} says ${quoted(message, naming)} (SQLSTATE ${code})`;
  // A server without a free connection works for those who have one: no reason to take it away from them.
  if (code === tooManyConnections) return unasked('full', `${says}, so its state is not known; it is full, not dead`);
  if (!loginStates.has(code)) return failed('status', `${says}, expected an answer`);
  const wanted = `expected user "${naming.user}" to be let into database "${naming.database}"`;
  return failed('login', `${says}, ${wanted}`);
}

/** The probe of a connection that failed at the given stage. */
export function probeOfFailure(error: unknown, stage: Stage, naming: Naming): Probe {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : fromUnknown(error);
  const at = `PostgreSQL at ${naming.where}`;
  const why = quoted(message, naming);
  if (code !== undefined && ownTrouble.has(code)) return unasked('error', `Cannot ask ${at}: ${why}`);
  const known = byErrno[code ?? ''];
  if (known === 'refused') return failed(known, `Nobody listens at ${naming.where}, expected PostgreSQL`);
  if (known !== undefined) return failed(known, `${at} cannot be asked: ${why}`);
  if (code === noTls) return failed('tls', `${at} does not speak TLS, expected it to`);
  if (code === wrongProtocol) return failed('protocol', `${at} does not answer as PostgreSQL does: ${why}`);
  if (stage === 'tls' || /^ERR_(SSL|TLS)/.test(code ?? '')) {
    return failed('tls', `${at} has no acceptable TLS: ${why}${code === undefined ? '' : ` (${code})`}`);
  }
  return failed(...saidByPg(message, stage, at, why));
}

function fromUnknown(error: unknown): { readonly code: string | undefined; readonly message: string } {
  return { code: undefined, message: String(error) };
}

/** `pg` has no codes for what it finds out itself; these are its words of 8.23. */
function saidByPg(message: string, stage: Stage, at: string, why: string): [ProbeCode, string] {
  if (/^Connection terminated/.test(message)) return ['reset', `${at} ended the connection before its answer`];
  if (stage === 'login' && /client password must be/.test(message))
    return ['login', `${at} wants a password, but none is configured`];
  return ['protocol', `${at} does not answer as PostgreSQL does: ${why}`];
}
