import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Endpoint, Endpoints } from './endpoints.ts';

/** Most bytes that an answer may have: some two hundred of the longest values. */
const maxAnswerBytes = 128 * 1024 * 1024;

export interface Question {
  readonly path: string;
  readonly body: unknown;
  readonly token?: string | undefined;
  /** An answer from before what was seen is one all the same; the caller looks at its revision. */
  readonly mayLag?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What is known of a request while it is under way. */
export interface Progress {
  /** True once a connection took it: the other side may do what it says, whatever is heard of it. */
  mayBeDone: boolean;
}

/**
 * Posts JSON and resolves with the beginning of the answer.
 *
 * @throws what Node throws, or the signal's reason
 */
export function postTo(
  { agent, isTls }: Endpoints,
  { url }: Endpoint,
  { path, body, token }: Question,
  progress: Progress,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = Buffer.from(JSON.stringify(body));
    const headers = {
      'content-type': 'application/json',
      'content-length': text.length,
      ...(token === undefined ? {} : { authorization: token }),
    };
    const ask = isTls ? requestHttps : requestHttp;
    const request = ask(new URL(path, url), { method: 'POST', agent, headers, signal }, resolve);
    request.once('error', reject);
    request.once('socket', (socket) => {
      const isReady = () => {
        progress.mayBeDone = true;
      };
      if (socket.connecting) socket.once(isTls ? 'secureConnect' : 'connect', isReady);
      else isReady();
    });
    request.end(text);
  });
}

/**
 * Reads an answer to its end.
 *
 * @throws Error when the connection breaks or the answer is longer than anything that hsdo stores
 */
export async function readWhole(message: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: message.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

/** The lines of an answer that never ends by itself. */
export async function* readLines(message: IncomingMessage): AsyncGenerator<string> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    let rest = part;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield Buffer.concat([...chunks, rest.subarray(0, end)]).toString('utf8');
      [chunks, length, rest] = [[], 0, rest.subarray(end + 1)];
    }
    chunks.push(rest);
    length += rest.length;
    if (length > maxAnswerBytes) throw new Error(`a line of the answer is longer than ${maxAnswerBytes} bytes`);
  }
}
