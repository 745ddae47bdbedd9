import { showEndpoint } from '../model/endpoint.ts';
import { describeError, HsdoError, hasCode } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { aborting } from './aborting.ts';
import { agreeOn, type Named, type SentinelView } from './agreement.ts';
import { askRedis, theLibrary } from './client.ts';
import { hear } from './hear.ts';
import { locate } from './locate.ts';
import { isLoginRefusal, printable, readRole, readView } from './replies.ts';
import type { RedisPlace, RedisTls, SentinelSettings } from './settings.ts';
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

/** While the master keeps one waiting: how often the sentinels are asked whether it still is the one. */
const againMs = 200;

interface Prepared {
  readonly places: readonly RedisPlace[];
  readonly tls: RedisTls | undefined;
}

/**
 * @param options.timeoutMs - For the sentinels' answers and for the master's together.
 * @param options.baseFolder - What the path of `ca` starts from.
 */
export function createSentinels(
  settings: SentinelSettings,
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly baseFolder?: string | undefined },
): Sentinels {
  const { masterName } = settings;
  const { clock } = options;
  const questionMs = options.timeoutMs / 2;

  /** The sentinels as places, with the package and the certificates that asking them takes. */
  async function prepare(): Promise<Prepared> {
    await theLibrary();
    const tls = await readTls(settings.tls, options.baseFolder);
    return { places: settings.sentinels.map((sentinel) => ({ ...sentinel, tls })), tls };
  }

  async function viewOf(place: RedisPlace, signal: AbortSignal): Promise<SentinelView> {
    const sentinel = showEndpoint(place.host, place.port);
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

  async function confirm(named: Named, tls: RedisTls | undefined, signal: AbortSignal): Promise<Master> {
    const { username, password } = settings;
    const address = await locate(named.host);
    const place: RedisPlace = { host: address, port: named.port, username, password, tls: withName(tls, named.host) };
    const [reply] = await askRedis(place, [['ROLE']], signal);
    const who = `Master "${masterName}" at "${showEndpoint(named.host, named.port)}", which the sentinels agree on,`;
    if (reply === undefined || 'refusal' in reply) {
      const said = reply?.refusal ?? 'nothing';
      const code = isLoginRefusal(said) ? 'rejected' : 'unavailable';
      throw new HsdoError(code, `${who} said ${printable(said)}, expected its role`);
    }
    const role = readRole(reply.value);
    if (role === 'master') return { address, port: named.port };
    throw new HsdoError('unavailable', `${who} says that it is ${role ?? 'something unknown'}, expected master`);
  }

  /** Resolves when the sentinels agree on another master than `named`. */
  async function another(named: Named, places: readonly RedisPlace[], signal: AbortSignal): Promise<Named> {
    for (;;) {
      await clock.sleep(againMs, signal);
      const next = await aborting(signal, (inner) => agreed(places, inner)).catch(() => undefined);
      signal.throwIfAborted();
      if (next !== undefined && !isSame(next, named)) return next;
    }
  }

  /**
   * A master that is paused or cut off answers nothing for as long as one waits, or comes back and still believes in
   * itself. So the sentinels are asked again meanwhile, and once more after a word that was long in coming.
   */
  async function confirmLatest(first: Named, { places, tls }: Prepared, signal: AbortSignal): Promise<Master> {
    for (let named = first; ; ) {
      const current = named;
      const startedAt = clock.monotonic();
      const found = await aborting(signal, (inner) =>
        Promise.race([confirm(current, tls, inner), another(current, places, inner)]),
      );
      if (!('address' in found)) named = found;
      else if (clock.monotonic() - startedAt <= againMs) return found;
      else {
        named = await aborting(signal, (inner) => agreed(places, inner));
        if (isSame(named, current)) return found;
      }
    }
  }

  return {
    async find(signal) {
      const prepared = await prepare();
      const named = await aborting(signal, (inner) => agreed(prepared.places, inner));
      const what = `Master "${masterName}" at "${showEndpoint(named.host, named.port)}"`;
      return await withDeadline(what, questionMs, signal, (inner) => confirmLatest(named, prepared, inner));
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

function isSame(one: Named, other: Named): boolean {
  return one.host === other.host && one.port === other.port;
}

/** The part of an error that follows the sentinel's name. */
function faultOf(error: unknown): string {
  const text = describeError(error);
  const stripped = text.replace(/^it (?=did)/, '').replace(/^Cannot ask Redis at "[^"]*": /, 'cannot be asked: ');
  return printable(stripped);
}
