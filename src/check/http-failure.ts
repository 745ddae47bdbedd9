import type { ProbeCode } from '../model/probe.ts';

/** Why an exchange came to no answer. `error` says that the question could not be asked. */
export interface Failure {
  readonly code: ProbeCode;
  /** Part of a sentence: printable and short, whatever the other side sent. */
  readonly reason: string;
}

/** How far the exchange had come: connecting to a TCP port, in the TLS handshake, or speaking HTTP. */
export type Phase = 'connect' | 'handshake' | 'exchange';

const byErrno: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: { code: 'refused', reason: 'nobody listens there (ECONNREFUSED)' },
  EHOSTUNREACH: { code: 'unreachable', reason: 'no route to the host (EHOSTUNREACH)' },
  EHOSTDOWN: { code: 'unreachable', reason: 'no route to the host (EHOSTDOWN)' },
  ENETUNREACH: { code: 'unreachable', reason: 'no route to the network (ENETUNREACH)' },
  ENETDOWN: { code: 'unreachable', reason: 'no route to the network (ENETDOWN)' },
  ETIMEDOUT: { code: 'timeout', reason: 'the connection timed out (ETIMEDOUT)' },
};

const endings: Readonly<Record<Phase, string>> = {
  connect: 'the connection ended at once',
  handshake: 'the connection ended in the TLS handshake',
  exchange: 'the connection ended before the answer was complete',
};

/** Text of the other side as one short line: printable ASCII, at most `longest` characters. */
export function printable(text: string, longest = 80): string {
  const line = text.slice(0, longest + 1).replace(/[^\x20-\x7e]/g, '?');
  return line.length > longest ? `${line.slice(0, longest - 3)}...` : line;
}

/**
 * What an error of Node says about the target. Of a name with several addresses the last one's error counts. What is
 * not the target's fault, such as a lack of ports or of open files, has the code `error`.
 */
export function failureOf(error: NodeJS.ErrnoException, phase: Phase): Failure {
  if (error instanceof AggregateError && error.errors.length > 0)
    return failureOf(error.errors.at(-1) as NodeJS.ErrnoException, phase);
  const { code = '', message } = error;
  if (error.syscall === 'getaddrinfo') return { code: 'dns', reason: `the name has no address (${printable(code)})` };
  const known = Object.hasOwn(byErrno, code) ? byErrno[code] : undefined;
  if (known !== undefined) return known;
  if (['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(code)) return { code: 'reset', reason: endings[phase] };
  // The words of OpenSSL and of Node's parser; both may quote what the other side sent.
  const { reason = message } = error as { readonly reason?: string };
  if (code === 'HPE_HEADER_OVERFLOW') return { code: 'protocol', reason: 'the header is larger than 16 KiB' };
  if (code.startsWith('HPE_')) return { code: 'protocol', reason: `the answer is not HTTP (${printable(reason)})` };
  if (phase === 'handshake' || code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return { code: 'tls', reason: `TLS: ${printable(reason, 140)} (${printable(code)})` };
  return { code: 'error', reason: printable(message, 140) };
}
