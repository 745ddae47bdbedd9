import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { describeError, HsdoError } from '../model/error.ts';
import { createStreak, type Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { every } from '../time/every.ts';

/** Files in PEM form. */
export interface TlsFiles {
  /** The certificate, with those between it and the authority after it. */
  readonly cert: string;
  readonly key: string;
  /** Authorities; who connects has to show a certificate of theirs. */
  readonly ca?: string | undefined;
}

/** What a server has to be given for TLS; `requestCert` stays as it was when it began to listen. */
export type TlsOptions = SecureContextOptions & {
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
};

const lookEveryMs = 1000;

/** Reads the files. Rejects with `config` when one cannot be read, or key and certificate do not belong together. */
export async function readTls({ cert, key, ca }: TlsFiles): Promise<TlsOptions> {
  const [certText, keyText, caText] = await Promise.all([readPem(cert), readPem(key), ca && readPem(ca)]);
  const texts = { cert: certText, key: keyText, minVersion: 'TLSv1.2' } as const;
  const options = caText ? { ...texts, ca: caText, requestCert: true, rejectUnauthorized: true } : texts;
  try {
    createSecureContext(options);
  } catch (error) {
    throw new HsdoError('config', `Cannot use ${cert} with ${key}: expected a certificate and its key in PEM form`, {
      cause: error,
    });
  }
  return options;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new HsdoError('config', `Cannot read ${path}`, { cause: error });
  }
}

/**
 * Looks after the files until the signal is aborted, so that a renewed certificate needs no restart. While they cannot be
 * used, or are half written, the last good ones stay.
 *
 * @param what - Whose certificate it is, for the log.
 * @param onChange - Given the new ones; connections that stand keep theirs.
 */
export async function watchTls(
  what: string,
  files: TlsFiles,
  first: TlsOptions,
  { clock, log, onChange }: { readonly clock: Clock; readonly log: Log; readonly onChange: (now: TlsOptions) => void },
  signal: AbortSignal,
): Promise<void> {
  const streak = createStreak(log, `reading the certificate of ${what}`, { cert: files.cert });
  let current = first;
  await every(
    { intervalMs: lookEveryMs, clock },
    async () => {
      try {
        const now = await readTls(files);
        streak.worked();
        if (now.cert === current.cert && now.key === current.key && now.ca === current.ca) return;
        onChange(now);
        current = now;
        log.info({ cert: files.cert }, `${what} has a new certificate`);
      } catch (error) {
        streak.failed(describeError(error));
      }
    },
    signal,
  );
}
