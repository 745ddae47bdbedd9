import type * as RedisLibrary from 'redis';
import { showEndpoint } from '../model/endpoint.ts';
import { describeError, HsdoError } from '../model/error.ts';
import { isLoginRefusal, printable, type Reply } from './replies.ts';
import { screened } from './screened.ts';
import type { RedisPlace } from './settings.ts';
import { tlsOptions } from './tls.ts';

type Library = typeof RedisLibrary;
type Client = ReturnType<Library['createClient']>;

interface Loaded {
  readonly ErrorReply: Library['ErrorReply'];
  /**
   * Never connected; every client is a duplicate of it. `createClient` itself makes a new class with all commands of
   * Redis for options that differ from those of the last call, which takes 70 ms of the processor.
   */
  readonly origin: Client;
}

/** RESP 2, which every Redis speaks; no second command beside ours, no times of the library's own. */
const plainOptions = {
  RESP: 2 as const,
  disableClientInfo: true,
  maintNotifications: 'disabled' as const,
  commandOptions: { timeout: 0 },
};

let library: Promise<Loaded> | undefined;

/**
 * Loads the package `redis`, which only configurations that speak of Redis need.
 *
 * @throws HsdoError `config` when it is not installed: it is an optional dependency.
 */
export async function loadLibrary(load: () => Promise<Library> = () => import('redis')): Promise<Library> {
  try {
    return await load();
  } catch (error) {
    const message =
      'Cannot speak to Redis: the package "redis" is not there, expected it installed (npm install redis)';
    throw new HsdoError('config', message, { cause: error });
  }
}

/**
 * The package, loaded once; a failure is not kept. Loading takes a third of a second: whoever keeps time waits for it
 * before the time begins.
 *
 * @throws as {@link loadLibrary}.
 */
export function theLibrary(): Promise<Loaded> {
  library ??= loadLibrary().then(
    ({ createClient, ErrorReply }) => ({ ErrorReply, origin: createClient(plainOptions) as Client }),
    (error: unknown) => {
      library = undefined;
      throw error;
    },
  );
  return library;
}

/**
 * Asks a Redis or a sentinel some commands over one connection that is closed afterwards; error replies are answers.
 * Nothing is retried and no time is kept: the signal carries the deadline, and ends the connection.
 *
 * @returns one reply per command, in their order.
 * @throws HsdoError `unavailable` when there is no connection or no Redis at its end, `rejected` for a login that is
 *   not accepted, `config` when the package `redis` is missing; the signal's reason once that is aborted.
 */
export function askRedis(
  place: RedisPlace,
  commands: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<readonly Reply[]> {
  return withClient(place, signal, async (client, { ErrorReply }) => {
    const replies = commands.map(async (command): Promise<Reply> => {
      try {
        return { value: await client.sendCommand([...command]) };
      } catch (error) {
        if (error instanceof ErrorReply) return { refusal: error.message };
        throw error;
      }
    });
    return await Promise.all(replies);
  });
}

/**
 * Listens on a channel and resolves with the first message for which `isWanted` is true.
 *
 * @param onListening - Told once the subscription stands: what fails after that is a loss, not a refusal.
 * @throws as {@link askRedis}; also when the connection ends.
 */
export function listenToRedis(
  place: RedisPlace,
  channel: string,
  isWanted: (message: string) => boolean,
  onListening: () => void,
  signal: AbortSignal,
): Promise<string> {
  return withClient(place, signal, async (client) => {
    let onMessage: (message: string) => void = () => {};
    const heard = new Promise<string>((resolve) => {
      onMessage = (message) => {
        if (isWanted(message)) resolve(message);
      };
    });
    await client.subscribe(channel, (message: string) => onMessage(message));
    onListening();
    return await heard;
  });
}

/** One connection: the library without anything that would make it live longer than its question. */
async function withClient<T>(
  place: RedisPlace,
  signal: AbortSignal,
  use: (client: Client, loaded: Loaded) => Promise<T>,
): Promise<T> {
  const loaded = await theLibrary();
  signal.throwIfAborted();
  const stop = new AbortController();
  let fail: (reason: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const onAbort = () => fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const client = loaded.origin.duplicate(optionsFor(place, stop.signal, fail));
  // Without a listener an error event ends the process; what the library cannot parse it tells in no other way.
  client.on('error', fail);
  try {
    const work = async () => {
      await screened(
        () => client.connect(),
        (fault) => fail(new Error(`the answer has ${fault}, which no answer of Redis has`)),
      );
      return await use(client, loaded);
    };
    return await Promise.race([work(), failed]);
  } catch (error) {
    signal.throwIfAborted();
    throw toHsdoError(error, place, loaded);
  } finally {
    signal.removeEventListener('abort', onAbort);
    failed.catch(() => {});
    client.destroy();
    // The library does not let go of a socket that is still connecting.
    stop.abort();
  }
}

/** How to reach one place, and nothing that goes on by itself. */
function optionsFor(place: RedisPlace, signal: AbortSignal, onError: (error: unknown) => void) {
  const { host, port, username, password, tls } = place;
  const own = { host, port, signal, reconnectStrategy: false as const };
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    socket: tls === undefined ? own : { ...own, ...tlsOptions(place, signal, onError) },
  };
}

function toHsdoError(error: unknown, place: RedisPlace, { ErrorReply }: Loaded): HsdoError {
  if (error instanceof HsdoError) return error;
  const said = error instanceof ErrorReply ? error.message : undefined;
  const reason =
    said === undefined ? printable(describeError(error) || 'the connection ended') : `it said ${printable(said)}`;
  const code = said !== undefined && isLoginRefusal(said) ? 'rejected' : 'unavailable';
  return new HsdoError(code, `Cannot ask Redis at "${showEndpoint(place.host, place.port)}": ${reason}`, {
    cause: error,
  });
}
