import { connect as dial, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as secure } from 'node:tls';

/** How the server is reached. `tls` is what Node's TLS is told beside the socket; absent means no TLS. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly tls?: { readonly name: string; readonly options: ConnectionOptions };
}

/** The sockets of one probe. They end with it: politely after an answer, at once otherwise. */
export interface Line {
  /** Resolves when TCP is connected; rejects with the system's error. */
  connect(): Promise<void>;
  /** Asks for TLS and resolves when the server's certificate is accepted. Does nothing without `tls`. */
  encrypt(): Promise<void>;
  /** What `pg` talks through once both are done. Whatever the server sends, nothing is thrown at the process. */
  stream(): Duplex;
  /** Says goodbye in PostgreSQL's own way, so that its log stays quiet, and closes. */
  finish(): void;
  /** Closes at once what `finish` has not closed; who waits for the line gets an error. */
  cut(): void;
}

/** Message `SSLRequest` and message `Terminate` (PostgreSQL manual, 55.7 Message Formats). */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const terminate = Buffer.from([0x58, 0, 0, 0, 4]);

/** A log-in and one small row take about 1 KiB; more than this is no answer to our question. */
const mostBytes = 65_536;

/** What the peer did that no PostgreSQL does, or that TLS does not allow; told apart from errors of the system. */
export const wrongProtocol = 'HSDO_PROTOCOL';
export const noTls = 'HSDO_NO_TLS';

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

const closedEarly = () => fault('ECONNRESET', 'the connection ended before the answer was complete');

/** Makes the line of one probe; nothing is opened before `connect`. */
export function createLine({ address, port, tls }: Endpoint): Line {
  const held: Socket[] = [];
  const hold = <T extends Socket>(socket: T): T => {
    // Without a listener an error ends the process; whoever waits for something has a listener of its own.
    socket.on('error', () => {});
    held.push(socket);
    return socket;
  };
  let current: Socket | undefined;
  let isFinished = false;
  const open = (): Socket => {
    if (current === undefined) throw new TypeError('the line is not connected');
    return current;
  };
  return {
    async connect() {
      current = hold(dial({ host: address, port, noDelay: true }));
      await happens(current, 'connect');
    },
    async encrypt() {
      if (tls === undefined) return;
      const plain = open();
      plain.write(sslRequest);
      await believeTls(plain);
      // Names an address cannot be asked for by SNI (RFC 6066 section 3); it is still compared with the certificate.
      const server = isIP(tls.name) === 0 ? { servername: tls.name } : {};
      const encrypted = hold(secure({ ...tls.options, ...server, host: tls.name, socket: plain }));
      await happens(encrypted, 'secureConnect');
      current = encrypted;
    },
    stream: () => createGuardedStream(open()),
    finish() {
      isFinished = true;
      current?.end(terminate);
      current?.destroySoon();
    },
    cut() {
      if (isFinished) return;
      for (const socket of held) socket.destroy(closedEarly());
    },
  };
}

/** Resolves with the event's first argument; rejects when the socket fails or closes first. */
function happens(socket: Socket, event: 'connect' | 'secureConnect' | 'data'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(closedEarly());
    socket.once('error', reject).once('close', onClose);
    socket.once(event, (value: unknown) => {
      socket.off('error', reject).off('close', onClose);
      resolve(value);
    });
  });
}

/** Reads the one byte that answers `SSLRequest`. More than it came from somebody in between (CVE-2021-23222). */
async function believeTls(socket: Socket): Promise<void> {
  const answer = (await happens(socket, 'data')) as Buffer;
  socket.pause();
  if (answer.length !== 1) throw fault(wrongProtocol, 'more than one byte came in answer to the wish for TLS');
  const letter = String.fromCharCode(answer[0] ?? 0);
  if (letter === 'N') throw fault(noTls, 'the server does not speak TLS');
  if (letter !== 'S') throw fault(wrongProtocol, 'neither yes nor no came in answer to the wish for TLS');
}

/**
 * Looks at the length of every message (manual, 55.7: one letter, then four bytes that count themselves) and at the
 * sum of all; says what is wrong with them. Other protocols are found out by it at once: their letters read as lengths
 * of a gigabyte, for which `pg` would wait.
 */
function createFraming(): (chunk: Buffer) => string | undefined {
  let header: number[] = [];
  let [received, ahead] = [0, 0];
  return (chunk) => {
    received += chunk.length;
    if (received > mostBytes) return `more than ${mostBytes} bytes came`;
    for (const byte of chunk) {
      if (ahead > 0) {
        ahead -= 1;
        continue;
      }
      header.push(byte);
      if (header.length < 5) continue;
      const length = Buffer.from(header).readUInt32BE(1);
      if (length < 4 || length > mostBytes) return `a message of ${length} bytes was announced`;
      ahead = length - 4;
      header = [];
    }
    return undefined;
  };
}

/**
 * A connected socket as the stream that `pg` expects to connect by itself. Bounds what is read, and turns what `pg`
 * throws while it parses hostile bytes (in a listener, where it would end the process) into an error of the stream.
 */
function createGuardedStream(socket: Socket): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => (socket.writable ? void socket.end(done) : done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  const emit = stream.emit.bind(stream) as (...args: readonly unknown[]) => boolean;
  const guarded = (...args: readonly unknown[]): boolean => {
    try {
      return emit(...args);
    } catch (error) {
      stream.destroy(fault(wrongProtocol, error instanceof Error ? error.message : String(error)));
      return true;
    }
  };
  stream.emit = guarded as typeof stream.emit;
  const look = createFraming();
  socket.on('data', (chunk: Buffer) => {
    const wrong = look(chunk);
    if (wrong !== undefined) return void stream.destroy(fault(wrongProtocol, wrong));
    if (!stream.push(chunk)) socket.pause();
  });
  socket.once('end', () => stream.push(null));
  socket.once('error', (error) => stream.destroy(error));
  // After an end the stream ends by itself, once all that came before was read.
  socket.once('close', () => socket.readableEnded || stream.destroy());
  const setNothing = () => stream;
  const connect = () => {
    process.nextTick(() => stream.emit('connect'));
    return stream;
  };
  return Object.assign(stream, { connect, setNoDelay: setNothing, setKeepAlive: setNothing });
}
