import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { resolve } from 'node:path';
import { HsdoError } from '../model/error.ts';
import type { RedisPlace, RedisTls, SentinelSettings } from './settings.ts';

/**
 * The option `tls` with the certificates that it names; undefined where TLS is off. Read anew for every question, so
 * that a renewed file is believed.
 *
 * @throws HsdoError `config` when the file cannot be read.
 */
export async function readTls(tls: SentinelSettings['tls'], baseFolder = '.'): Promise<RedisTls | undefined> {
  if (tls === false) return undefined;
  if (tls === true) return {};
  const { ca, serverName } = tls;
  if (ca === undefined) return { serverName };
  try {
    return { serverName, ca: await readFile(resolve(baseFolder, ca), 'utf8') };
  } catch (error) {
    throw new HsdoError('config', `Cannot read the certificates in "${ca}", expected a file in PEM form`, {
      cause: error,
    });
  }
}

/** A certificate of a master that is announced by name is for that name, not for the address. */
export function withName(tls: RedisTls | undefined, host: string): RedisTls | undefined {
  if (tls === undefined || tls.serverName !== undefined || isIP(host) !== 0) return tls;
  return { ...tls, serverName: host };
}

/** TLS over a socket of our own, since no signal ends one that the library opens. */
export function tlsOptions({ host, port, tls }: RedisPlace, signal: AbortSignal, onError: (error: unknown) => void) {
  const socket = connectTcp({ host, port, signal });
  socket.on('error', onError);
  const servername = tls?.serverName ?? (isIP(host) === 0 ? host : undefined);
  return {
    tls: true as const,
    socket,
    ...(servername === undefined ? {} : { servername }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
  };
}
