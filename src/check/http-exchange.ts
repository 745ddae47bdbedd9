import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Clock } from '../time/clock.ts';
import { type Failure, failureOf, type Phase, printable } from './http-failure.ts';

/** One request over a connection of its own. */
export interface Ask {
  readonly connectHost: string;
  readonly port: number;
  readonly tls?: {
    readonly context: SecureContext;
    readonly serverName: string | undefined;
    readonly isVerified: boolean;
  };
  readonly method: string;
  readonly path: string;
  /** All of them, Host included, but for Connection and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly maxBodyBytes: number;
  /** Whether the body of an answer with this code and header matters. */
  readonly readsBody: (status: number, headers: IncomingHttpHeaders) => boolean;
}

export interface Answer {
  readonly status: number;
  /** The words beside the code, printable and short. */
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  /** At most `maxBodyBytes` of it; empty where it does not matter. */
  readonly body: Buffer;
}

/** `connectMs` runs from the start until the TCP connection stood, and is absent where it never did. */
export type Outcome = { readonly connectMs: number | undefined } & (
  | { readonly answer: Answer }
  | { readonly failure: Failure }
);

type Settle = (result: { readonly answer: Answer } | { readonly failure: Failure }) => void;

const maxHeaderBytes = 16_384;
const maxInterimAnswers = 16;

function open(ask: Ask, lookup: LookupFunction): Socket {
  const to = { host: ask.connectHost, port: ask.port, lookup };
  if (ask.tls === undefined) return connectTcp({ ...to, noDelay: true });
  const { context, serverName, isVerified } = ask.tls;
  return connectTls({
    ...to,
    secureContext: context,
    rejectUnauthorized: isVerified,
    ALPNProtocols: ['http/1.1'],
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
}

/**
 * Reads an answer to its end or to the bound of its body. The end counts only when it is one: less than the
 * Content-Length or a missing last chunk is a connection that ended early (RFC 9112 section 8).
 */
function readAnswer(ask: Ask, message: IncomingMessage, settle: Settle): void {
  const status = message.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const succeed = () => {
    const body = Buffer.concat(chunks).subarray(0, ask.maxBodyBytes);
    settle({ answer: { status, reason: printable(message.statusMessage ?? '', 60), headers: message.headers, body } });
  };
  const fail = (error: Error) => settle({ failure: failureOf(error, 'exchange') });
  message.on('error', fail);
  if (!ask.readsBody(status, message.headers)) {
    succeed();
    return;
  }
  message.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= ask.maxBodyBytes) succeed();
  });
  message.once('end', () => {
    if (message.complete) succeed();
    else fail(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
  });
}

/** Sends the request over a socket that is ready; node:http without an agent says `Connection: close` (RFC 9112 section 9.6). */
function send(ask: Ask, socket: Socket, settle: Settle): ClientRequest {
  const request = httpRequest({
    createConnection: () => socket,
    method: ask.method,
    path: ask.path,
    headers: ask.headers,
    setHost: false,
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
  });
  let interimAnswers = 0;
  request.on('error', (error) => settle({ failure: failureOf(error, 'exchange') }));
  request.on('response', (message) => readAnswer(ask, message, settle));
  // Nobody asked to switch protocols: 101 is then the whole answer, other codes below 200 come before it.
  request.on('upgrade', (message: IncomingMessage) => readAnswer({ ...ask, readsBody: () => false }, message, settle));
  request.on('information', () => {
    interimAnswers += 1;
    if (interimAnswers <= maxInterimAnswers) return;
    settle({ failure: { code: 'protocol', reason: `more than ${maxInterimAnswers} answers with codes below 200` } });
  });
  request.end(ask.body);
  return request;
}

/**
 * Asks once. Whatever comes of it, the connection is closed before the promise settles; no error of the network is thrown.
 * Nothing is sent before the certificate is accepted.
 *
 * @throws the signal's reason when it is aborted.
 */
export function exchange(ask: Ask, lookup: LookupFunction, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const startedAt = clock.monotonic();
    let connectMs: number | undefined;
    let phase: Phase = 'connect';
    let request: ClientRequest | undefined;
    const socket = open(ask, lookup);

    // Closing makes further errors; they find the promise settled.
    const close = () => {
      signal.removeEventListener('abort', onAbort);
      request?.destroy();
      socket.destroy();
    };
    const settle: Settle = (result) => {
      close();
      resolve({ connectMs, ...result });
    };
    const onAbort = () => {
      close();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => settle({ failure: failureOf(error, phase) }));
    socket.once('connect', () => {
      connectMs = clock.monotonic() - startedAt;
      phase = ask.tls === undefined ? 'exchange' : 'handshake';
    });
    socket.once(ask.tls === undefined ? 'connect' : 'secureConnect', () => {
      phase = 'exchange';
      request = send(ask, socket, settle);
    });
  });
}
