import { readFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { rootCertificates } from 'node:tls';
import { Exit, exitCodes } from './exit.ts';

/** Files in PEM form: who is trusted beside the authorities that everybody trusts, and what we show ourselves. */
export interface Trust {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface Exchange extends Trust {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

/** One question over HTTP or HTTPS and its answer. Node's fetch has no way to name an authority of one's own. */
export async function exchange(
  url: URL,
  { ca, cert, key, body, ...options }: Exchange,
): Promise<{ readonly status: number; readonly text: string }> {
  const trust = {
    ...(ca === undefined ? {} : { ca: [...rootCertificates, readPem('--ca', ca)] }),
    ...(cert === undefined ? {} : { cert: readPem('--cert', cert) }),
    ...(key === undefined ? {} : { key: readPem('--key', key) }),
  };
  const request = url.protocol === 'https:' ? requestTls(url, { ...options, ...trust }) : requestPlain(url, options);
  const answer = await answerTo(request, body);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

function answerTo(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', resolve);
    request.end(body);
  });
}

function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Exit(exitCodes.usage, `${option} ${file}: expected a readable file: ${reason}`);
  }
}
