import { describeError, HsdoError, hasCode } from '../model/error.ts';
import { withDeadline } from '../time/deadline.ts';
import { agreeOn, type Named, type SentinelView } from './agreement.ts';
import { askRedis, listenToRedis, theLibrary } from './client.ts';
import { locate } from './locate.ts';
import { isLoginRefusal, printable, readRole, readView } from './replies.ts';
import { type RedisPlace, type RedisTls, type SentinelSettings, showEndpoint } from './settings.ts';
import { readTls, withName } from './tls.ts';

/** The master that everybody agrees on; `address` is canonical. */
export interface Master {
  readonly address: string;
  readonly port: number;
}

/** All configured sentinels of one master, asked as one. */
export interface Sentinels {
  /**
   * Asks every sentinel for the master, and the master itself for its role. A majority of the configured sentinels
   * decides (see {@link agreeOn}); as soon as it is there the rest is not waited for. Every question has a connection of
   * its own, so that nothing is left over that could hang or come late.
   *
   * @throws HsdoError `unavailable` when nobody is agreed on, `rejected` when that cannot change by itself (logins, an
   *   unknown name), `config` for a missing package or file; the signal's reason once that is aborted.
   */
  find(signal: AbortSignal): Promise<Master>;
  /**
   * Listens to all sentinels and resolves when one of them says that the master moved, or one that could be listened to
   * is lost. The sentinel that leads a failover tells of it later than the others, so all are asked.
   *
   * @throws HsdoError `unavailable` when no sentinel can be listened to; the signal's reason once that is aborted.
   */
  moved(signal: AbortSignal): Promise<void>;
}

/**
 * @param options.timeoutMs - For the sentinels' answers and for the master's together.
 * @param options.baseFolder - What the path of `ca` starts from.
 */
export function createSentinels(
  settings: SentinelSettings,
  options: { readonly timeoutMs: number; readonly baseFolder?: string | undefined },
): Sentinels {
  const { masterName } = settings;
  const questionMs = options.timeoutMs / 2;

  /** The sentinels as places, with the package and the certificates that asking them takes. */
  async function prepare(): Promise<{ readonly places: readonly RedisPlace[]; readonly tls: RedisTls | undefined }> {
    await theLibrary();
    const tls = await readTls(settings.tls, options.baseFolder);
    return { places: settings.sentinels.map((sentinel) => ({ ...sentinel, tls })), tls };
  }

  async function viewOf(place: RedisPlace, signal: AbortSignal): Promise<SentinelView> {
    const sentinel = showEndpoint(place);
    const commands = [
      ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName],
      ['SENTINEL', 'CKQUORUM', masterName],
    ];
    const none = { refusal: 'nothing' };
    try {
      const [address = none, quorum = none] = await withDeadline('it', questionMs, signal, (inner) =>
        askRedis(place, commands, inner),
      );
      return readView(sentinel, masterName, address, quorum);
    } catch (error) {
      if (hasCode(error, 'config')) throw error;
      return { sentinel, fault: faultOf(error), isRefusal: hasCode(error, 'rejected') };
    }
  }

  async function agreed(places: readonly RedisPlace[], signal: AbortSignal): Promise<Named> {
    const asked = new Map(places.map((place, n) => [n, viewOf(place, signal).then((view) => ({ n, view }))]));
    const views: SentinelView[] = [];
    for (;;) {
      const agreement = agreeOn(views, places.length);
      if (agreement.kind === 'agreed') return agreement.master;
      if (agreement.kind === 'none') {
        const { isRefused, reason } = agreement;
        throw new HsdoError(
          isRefused ? 'rejected' : 'unavailable',
          `No master "${masterName}" is agreed on: ${reason}`,
        );
      }
      const { n, view } = await Promise.race(asked.values());
      signal.throwIfAborted();
      asked.delete(n);
      views.push(view);
    }
  }

  async function confirm(named: Named, address: string, tls: RedisTls | undefined, signal: AbortSignal): Promise<void> {
    const { username, password } = settings;
    const place: RedisPlace = { host: address, port: named.port, username, password, tls: withName(tls, named.host) };
    const [reply] = await askRedis(place, [['ROLE']], signal);
    const who = `Master "${masterName}" at "${showEndpoint(named)}", which the sentinels agree on,`;
    if (reply === undefined || 'refusal' in reply) {
      const said = reply?.refusal ?? 'nothing';
      const code = isLoginRefusal(said) ? 'rejected' : 'unavailable';
      throw new HsdoError(code, `${who} said ${printable(said)}, expected its role`);
    }
    const role = readRole(reply.value);
    if (role === 'master') return;
    throw new HsdoError('unavailable', `${who} says that it is ${role ?? 'something unknown'}, expected master`);
  }

  return {
    async find(signal) {
      const { places, tls } = await prepare();
      const named = await aborting(signal, (inner) => agreed(places, inner));
      const what = `Master "${masterName}" at "${showEndpoint(named)}"`;
      return await withDeadline(what, questionMs, signal, async (inner) => {
        const address = await locate(named.host);
        await confirm(named, address, tls, inner);
        return { address, port: named.port };
      });
    },
    async moved(signal) {
      const { places } = await prepare();
      try {
        await aborting(signal, (inner) =>
          Promise.any(places.map((place) => hear(place, masterName, questionMs, inner))),
        );
      } catch (error) {
        signal.throwIfAborted();
        const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
        const message = `Cannot listen to any of the sentinels of "${masterName}"`;
        throw new HsdoError(hasCode(first, 'config') ? 'config' : 'unavailable', message, { cause: first });
      }
    },
  };
}

/** Resolves at the sentinel's first word about this master, and when it goes away after it could be listened to. */
async function hear(place: RedisPlace, masterName: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let isListening = false;
  let subscribed: () => void = () => {};
  const subscription = new Promise<void>((resolve) => {
    subscribed = resolve;
  });
  const stop = new AbortController();
  const leave = () => stop.abort(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  // "mymaster 10.0.0.1 6379 10.0.0.2 6379", for every master that this sentinel knows.
  const isOurs = (message: string) => message.startsWith(`${masterName} `);
  const message = listenToRedis(
    place,
    '+switch-master',
    isOurs,
    () => {
      isListening = true;
      subscribed();
    },
    stop.signal,
  );
  try {
    const what = `Sentinel "${showEndpoint(place)}"`;
    await withDeadline(what, timeoutMs, signal, () => Promise.race([subscription, message]));
    await message;
  } catch (error) {
    signal.throwIfAborted();
    if (!isListening) throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    stop.abort(new Error('nobody waits for this sentinel any more'));
    message.catch(() => {});
  }
}

/** Runs `call` with a signal that is aborted when the call is over, so that nothing it began goes on. */
async function aborting<T>(signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const own = new AbortController();
  const stop = () => own.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await call(own.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    own.abort(new Error('the others have decided'));
  }
}

/** The part of an error that follows the sentinel's name. */
function faultOf(error: unknown): string {
  const text = describeError(error);
  const stripped = text.replace(/^it (?=did)/, '').replace(/^Cannot ask Redis at "[^"]*": /, 'cannot be asked: ');
  return printable(stripped);
}
