import { connect, type OnReadOpts, type Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { HsdoError } from '../../model/error.ts';
import { withDeadline } from '../../time/deadline.ts';
import { parseSocket } from './config.ts';

/** One short-lived connection to HAProxy's Runtime API (HAProxy management guide, section 9.3). */
export interface RuntimeApi {
  /** Sends one command and gives its reply without the prompt; an empty text is a silent success. */
  ask(command: string): Promise<string>;
  /**
   * Sends many commands, in order, and gives one reply for each. A refused command does not stop the later ones. They go
   * out while they are made: HAProxy works on the first ones while the last are spelled out.
   */
  pipeline(commands: Iterable<string>): Promise<readonly string[]>;
  /** Ends the connection; never throws. */
  close(): void;
}

/** HAProxy itself takes 15 kB in a line; nothing that hsdo says comes near this. */
const maxCommandBytes = 1000;
/** Bytes of commands that must be answered within one time-out. */
const burstBytes = 64 * 1024;
/** Bytes that are worth a write of their own; HAProxy reads 16 kB at once. */
const pieceBytes = 8 * 1024;
/** 10 000 servers make 0.7 MB; a reply beyond this is not HAProxy's. */
const maxReplyChars = 64 * 1024 * 1024;

/** Printable ASCII but for `;` (0x3b) and `\` (0x5c). */
const plain = /^[\x20-\x3a\x3c-\x5b\x5d-\x7e]+$/;

/**
 * The last gate before the wire: `;`, a line end, `<<` and `\` would let one command become another.
 *
 * @throws HsdoError `rejected`, quoting the command.
 */
export function checkCommand(command: string): string {
  if (plain.test(command) && !command.includes('<<') && command.length < maxCommandBytes) return command;
  const shown = JSON.stringify(command.slice(0, 80));
  throw new HsdoError(
    'rejected',
    `Cannot send ${shown} to HAProxy: expected under ${maxCommandBytes} printable ASCII characters without ";", "\\" and "<<"`,
  );
}

function explain(socket: string, error: NodeJS.ErrnoException): HsdoError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file; expected a running HAProxy with this path as "stats socket ... level admin"',
    ECONNREFUSED: 'nothing listens there; expected a running HAProxy',
    EACCES:
      'permission denied; run hsdo in the group that owns the socket, or give "mode" and "group" on the stats socket line',
  };
  const reason = reasons[error.code ?? ''] ?? `the connection failed (${error.code ?? error.message})`;
  return new HsdoError('unavailable', `Cannot talk to HAProxy at "${socket}": ${reason}`, { cause: error });
}

/** Cuts the stream into replies at HAProxy's prompt and wakes whoever waits for them. */
function createReader() {
  const replies: string[] = [];
  let buffer = '';
  let failure: Error | undefined;
  let waiter: { count: number; resolve: () => void; reject: (error: Error) => void } | undefined;
  return {
    feed(text: string): boolean {
      let start = 0;
      let at = buffer.length < 3 ? 0 : buffer.length - 2;
      buffer += text;
      for (at = buffer.indexOf('\n> ', at); at >= 0; at = buffer.indexOf('\n> ', start)) {
        replies.push(buffer.slice(start, at));
        start = at + 3;
      }
      buffer = buffer.slice(start);
      if (waiter && replies.length >= waiter.count) waiter.resolve();
      return buffer.length <= maxReplyChars;
    },
    /** For good: what comes later belongs to no question. */
    fail(error: Error) {
      failure ??= error;
      waiter?.reject(failure);
    },
    /** Resolves when `count` replies are there. */
    wait: (count: number) =>
      new Promise<void>((resolve, reject) => {
        waiter = { count, resolve, reject };
        if (failure) reject(failure);
        else if (replies.length >= count) resolve();
      }),
    take: (count: number) => replies.splice(0, count),
  };
}

/** Writes commands as they come, in pieces. Gives back how many commands each burst has. */
function writePieces(write: (text: string) => void, commands: Iterable<string>): readonly number[] {
  const bursts: number[] = [];
  let piece = '';
  let [count, bytes] = [0, 0];
  for (const command of commands) {
    piece += `${command}\n`;
    count += 1;
    bytes += command.length + 1;
    if (piece.length >= pieceBytes) {
      write(piece);
      piece = '';
    }
    if (bytes < burstBytes) continue;
    bursts.push(count);
    [count, bytes] = [0, 0];
  }
  if (piece !== '') write(piece);
  return count > 0 ? [...bursts, count] : bursts;
}

function* greeted(commands: Iterable<string>, isGreeted: boolean): Generator<string> {
  if (!isGreeted) yield 'prompt';
  for (const command of commands) yield checkCommand(command);
}

/** Bytes that one read takes at most; `show servers state` of 10 000 servers is 0.7 MB. */
const readBytes = 64 * 1024;

/**
 * HAProxy writes every reply on its own, so a large change means thousands of reads: they go past the machinery of
 * streams, which costs more than everything else that is done for a reply.
 */
function open(name: string, take: (text: string) => void): Socket {
  const address = parseSocket(name);
  if (!address) throw new HsdoError('config', `Cannot open "${name}": expected a path, "host:port" or "[v6]:port"`);
  const decoder = new StringDecoder('utf8');
  const onread: OnReadOpts = {
    buffer: Buffer.allocUnsafe(readBytes),
    callback(bytes, buffer) {
      take(decoder.write(Buffer.from(buffer.buffer, buffer.byteOffset, bytes)));
      return true;
    },
  };
  return address.kind === 'unix'
    ? connect({ path: address.path, onread })
    : connect({ port: address.port, host: address.host, onread });
}

async function dial(
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
  take: (text: string) => void,
): Promise<Socket> {
  const socket = open(name, take);
  try {
    await withDeadline(`HAProxy at "${name}"`, timeoutMs, signal, async () => {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', (error) => reject(explain(name, error)));
      });
    });
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  }
  socket.removeAllListeners('error');
  return socket;
}

/**
 * Connects to `socket`, as named in the configuration. The connection is in prompt mode: in the default mode HAProxy
 * closes when its buffer runs empty and drops what comes later. Replies are read while commands are written, since
 * HAProxy stops reading when nobody takes its replies. Every burst of commands must be answered in `timeoutMs`.
 *
 * @throws HsdoError `unavailable`, from here and from every method, naming the socket and what failed; `rejected` for a
 * command that must not be sent.
 */
export async function openRuntimeApi(
  socket: string,
  options: { readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<RuntimeApi> {
  const { timeoutMs } = options;
  const reader = createReader();
  let isGreeted = false;
  const connection = await dial(socket, timeoutMs, signal, (text) => {
    if (reader.feed(text)) return;
    reader.fail(new HsdoError('unavailable', `Cannot read from HAProxy at "${socket}": a reply is larger than 64 MiB`));
    connection.destroy();
  });
  connection.on('error', (error) => reader.fail(explain(socket, error)));
  connection.on('close', () =>
    reader.fail(new HsdoError('unavailable', `HAProxy at "${socket}" closed the connection before it answered`)),
  );

  async function exchange(commands: Iterable<string>): Promise<readonly string[]> {
    const skipped = isGreeted ? 0 : 1;
    const replies: string[] = [];
    try {
      // Without waiting in between: HAProxy would stand still between a burst that it answered and the next one.
      const bursts = writePieces((text) => void connection.write(text), greeted(commands, isGreeted));
      isGreeted = true;
      for (const count of bursts) {
        await withDeadline(`HAProxy at "${socket}"`, timeoutMs, signal, () => reader.wait(count));
        for (const reply of reader.take(count)) replies.push(reply);
      }
    } catch (error) {
      reader.fail(error as Error);
      connection.destroy();
      throw error;
    }
    return replies.slice(skipped);
  }

  return {
    ask: async (command) => (await exchange([command]))[0] ?? '',
    pipeline: exchange,
    close: () => void connection.destroy(),
  };
}
