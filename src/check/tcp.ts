import { connect, isIPv6, type Socket } from 'node:net';
import { z } from 'zod';
import { failed, type Probe, passed, unasked } from '../model/probe.ts';
import { secret } from '../model/secret.ts';
import { type CheckContext, checkPort, commonOptions, type HealthCheck } from './health-check.ts';

const text = z.string().min(1).max(65_536);

export const tcpSchema = z.strictObject({
  kind: z.literal('tcp'),
  ...commonOptions,
  /** HAnoProxY's default. */
  timeoutSeconds: commonOptions.timeoutSeconds.unwrap().default(1),
  port: checkPort,
  /** What is sent once connected, as UTF-8; line ends and all. Never shown, since it may hold a password. */
  send: text.transform(secret).optional(),
  /** What must come, as it is written here, within the first 64 KiB. */
  expect: text.max(4096).optional(),
});

type TcpConfig = z.output<typeof tcpSchema>;

const mostBytes = 65_536;

/** Code and words for what the system says about a connection (connect(2)); all else is no word about the target. */
const failures: Readonly<
  Record<string, readonly [code: 'refused' | 'unreachable' | 'reset' | 'timeout', reason: string]>
> = {
  ECONNREFUSED: ['refused', 'nobody listens there'],
  EHOSTUNREACH: ['unreachable', 'there is no route to the host'],
  EHOSTDOWN: ['unreachable', 'there is no route to the host'],
  ENETUNREACH: ['unreachable', 'there is no route to the network'],
  ENETDOWN: ['unreachable', 'there is no route to the network'],
  ECONNRESET: ['reset', 'it ended the connection'],
  ECONNABORTED: ['reset', 'it ended the connection'],
  EPIPE: ['reset', 'it ended the connection'],
  ETIMEDOUT: ['timeout', 'it does not answer'],
};

function showPlace(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function show(wanted: string): string {
  return JSON.stringify(wanted.length > 60 ? `${wanted.slice(0, 60)}...` : wanted);
}

function probeOf(place: string, error: NodeJS.ErrnoException): Probe {
  const known = Object.hasOwn(failures, error.code ?? '') ? failures[error.code ?? ''] : undefined;
  if (known === undefined) return unasked('error', `Cannot connect to ${place}: ${error.message}`);
  return failed(known[0], `${place}: ${known[1]} (${error.code})`);
}

/**
 * Connects; where wanted, it also sends a text or waits for one. The connection is closed as soon as the answer is
 * clear, and at once when the signal is aborted.
 */
export function createTcpCheck(config: TcpConfig, context: CheckContext): HealthCheck {
  return {
    async check(target, signal) {
      const port = config.port ?? target.port;
      if (port === undefined)
        return unasked('error', `Target "${target.name}" has no port, and the check names none either`);
      signal.throwIfAborted();
      const startedAt = context.clock.monotonic();
      const elapsedMs = () => context.clock.monotonic() - startedAt;
      const socket = connect({ host: target.address, port });
      const stop = () => void socket.destroy();
      signal.addEventListener('abort', stop, { once: true });
      try {
        return await converse(socket, showPlace(target.address, port), config, elapsedMs);
      } finally {
        signal.removeEventListener('abort', stop);
        socket.destroy();
      }
    },
  };
}

/** One exchange over a socket that connects; the socket is the caller's to close. */
function converse(socket: Socket, place: string, config: TcpConfig, elapsedMs: () => number): Promise<Probe> {
  const wanted = config.expect === undefined ? undefined : Buffer.from(config.expect);
  return new Promise((resolve, reject) => {
    let connectMs: number | undefined;
    let got: Buffer = Buffer.alloc(0);
    const facts = () => ({ ...(connectMs === undefined ? {} : { connectMs }), totalMs: elapsedMs() });
    const pass = (message: string) => resolve(passed(message, facts()));
    const miss = (what: string) =>
      resolve(failed('body', `${place}: expected ${show(config.expect ?? '')}, ${what}`, facts()));
    socket.once('connect', () => {
      connectMs = elapsedMs();
      if (config.send === undefined) {
        if (wanted === undefined) pass(`${place} accepts connections`);
        return;
      }
      socket.write(config.send.reveal(), (error) => {
        if (!error && wanted === undefined) pass(`${place} took what was sent`);
      });
    });
    socket.on('data', (chunk: Buffer) => {
      if (wanted === undefined) return;
      got = Buffer.concat([got, chunk]).subarray(0, mostBytes);
      if (got.includes(wanted)) pass(`${place} answered as expected`);
      else if (got.length === mostBytes) miss('and it is not in the first 64 KiB');
    });
    socket.once('end', () => {
      if (got.length > 0) miss(`but the answer ended after ${got.length} bytes without it`);
      else resolve(failed('reset', `${place}: it ended the connection without an answer`));
    });
    socket.once('error', (error) => resolve(probeOf(place, error)));
    // After an abort; in every other case it is settled by now.
    socket.once('close', () => reject(new Error(`The connection to ${place} was closed`)));
  });
}
