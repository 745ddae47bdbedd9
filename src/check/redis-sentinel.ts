import { z } from 'zod';
import { showEndpoint } from '../model/endpoint.ts';
import { describeError, HsdoError } from '../model/error.ts';
import { failed, passed, unasked } from '../model/probe.ts';
import { createSentinels, type Master } from '../redis/sentinels.ts';
import { sentinelOptions } from '../redis/settings.ts';
import { type CheckContext, checkPort, commonOptions, type HealthCheck } from './health-check.ts';

export const redisSentinelSchema = z.strictObject({
  kind: z.literal('redis-sentinel'),
  ...commonOptions,
  ...sentinelOptions,
  // A majority of the sentinels has agreed already, and the master that they chose shall serve at once.
  intervalSeconds: commonOptions.intervalSeconds.unwrap().default(1),
  timeoutSeconds: commonOptions.timeoutSeconds.unwrap().default(2),
  rise: commonOptions.rise.unwrap().default(1),
  fall: commonOptions.fall.unwrap().default(1),
  holdDown: z
    .strictObject({
      seconds: z.number().min(0).max(86_400).default(0),
      maxSeconds: z.number().min(0).max(86_400).default(300),
    })
    .prefault({}),
  /** Port by which a target is compared with the master; default is the target's, and without one the address alone counts. */
  port: checkPort,
});

/** Targets of one service that are asked within this time share one round of questions. */
const sharedMs = 100;
/** The part of the time-out that a round may take, so that "nobody is agreed on" is said before the time is over. */
const roundShare = 0.8;

interface Round {
  readonly startedAt: number;
  readonly found: Promise<Master>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * Up is the target that is the master: a majority of the configured sentinels names it, each with its quorum, and it
 * says so itself. Every other target is down (`not-master`). Where nobody is agreed on nobody is judged (`no-quorum`),
 * also during a failover.
 */
export function createRedisSentinelCheck(
  config: z.output<typeof redisSentinelSchema>,
  { clock, baseFolder }: CheckContext,
): HealthCheck {
  const timeoutMs = config.timeoutSeconds * 1000 * roundShare;
  const sentinels = createSentinels(config, { timeoutMs, clock, baseFolder });
  let latest: Round | undefined;

  function theRound(): Round {
    const now = clock.monotonic();
    if (latest !== undefined && !latest.stop.signal.aborted && now - latest.startedAt <= sharedMs) return latest;
    const stop = new AbortController();
    const found = sentinels.find(stop.signal);
    found.catch(() => {});
    latest = { startedAt: now, found, stop, waiting: 0 };
    return latest;
  }

  /** Waits for a round; it ends early when all who wait for it have left. */
  async function find(signal: AbortSignal): Promise<Master> {
    signal.throwIfAborted();
    const round = theRound();
    round.waiting += 1;
    let leave: () => void = () => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => {
        round.waiting -= 1;
        if (round.waiting === 0) round.stop.abort(signal.reason);
        reject(signal.reason as Error);
      };
    });
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([round.found, left]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  return {
    async check(target, signal) {
      const port = config.port ?? target.port;
      const own = showEndpoint(target.address, port);
      try {
        const master = await find(signal);
        const shown = showEndpoint(master.address, master.port);
        const isMaster = target.address === master.address && (port === undefined || port === master.port);
        if (!isMaster)
          return failed('not-master', `"${own}" is not the master "${config.masterName}", which is "${shown}"`);
        return passed(`"${shown}" is the master "${config.masterName}"`, { role: 'primary' });
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof HsdoError)) throw error;
        return unasked(error.code === 'config' ? 'error' : 'no-quorum', describeError(error));
      }
    },
  };
}
