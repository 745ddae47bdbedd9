import type { Snapshot } from '../../model/snapshot.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Clock } from '../../time/clock.ts';
import { checkWanted } from './commands.ts';
import { type HaproxyConfig, stateFileOf } from './config.ts';
import { desiredServers } from './desired.ts';
import { createKeeper, type Save } from './keeper.ts';
import type { Memory } from './memory.ts';
import { createSocketLoop, type SocketStatus } from './socket-loop.ts';
import type { StateFileBackend } from './state-file.ts';
import type { WantedByBackend } from './state-file-writer.ts';

export interface HaproxyStatus {
  readonly service: string;
  /** Of the snapshot that is being delivered; absent while there is none, and then HAProxy is not touched. */
  readonly revision?: number;
  readonly sockets: readonly SocketStatus[];
}

/** Keeps every HAProxy of one service as the snapshot wants it. */
export interface HaproxyDelivery {
  /** Runs until the signal is aborted; rejects only for a bug. */
  run(signal: AbortSignal): Promise<void>;
  /** From now on this is wanted; returns at once. */
  deliver(snapshot: Snapshot): void;
  status(): HaproxyStatus;
}

function wantedOf(config: HaproxyConfig, snapshot: Snapshot, log?: Log): WantedByBackend {
  return new Map(
    config.backends.map((backend) => {
      const { wanted, refused } = checkWanted(desiredServers(snapshot, backend, config));
      for (const { index, reason } of refused)
        log?.warn(
          { service: snapshot.service, backend: backend.name, slot: index, reason },
          'a target cannot be delivered',
        );
      return [backend.name, wanted];
    }),
  );
}

/**
 * What `composeStateFile` needs for the HAProxy at `position` in `sockets`, before any HAProxy runs: from the snapshot,
 * and from what the client remembered about that socket.
 */
export function stateFileBackends(
  config: HaproxyConfig,
  snapshot: Snapshot,
  memory: Memory,
  position: number,
): readonly StateFileBackend[] {
  const wanted = wantedOf(config, snapshot);
  const remembered = memory.sockets.get(config.sockets[position] ?? '');
  return config.backends.map(({ name, baseName }) => ({
    name,
    baseName,
    wanted: wanted.get(name) ?? new Map(),
    remembered: remembered?.get(name) ?? new Map(),
  }));
}

/**
 * The deliverer of one service. It begins with the snapshot in `memory`, so it works while the store is away; without
 * any snapshot it leaves HAProxy alone. `save` makes the memory durable (`saveMemory`).
 */
export function createHaproxy(parts: {
  readonly service: string;
  readonly config: HaproxyConfig;
  readonly memory: Memory;
  readonly save: Save;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}): HaproxyDelivery {
  const { service, config, memory, log } = parts;
  for (const socket of memory.sockets.keys()) if (!config.sockets.includes(socket)) memory.sockets.delete(socket);
  const keeper = createKeeper({ memory, save: parts.save, log });
  let wanted = memory.snapshot ? wantedOf(config, memory.snapshot, log) : undefined;
  const loops = config.sockets.map((socket, position) =>
    createSocketLoop({ ...parts, socket, stateFile: stateFileOf(config, position), keeper, wanted: () => wanted }),
  );
  return {
    async run(signal) {
      await Promise.all(loops.map((loop) => loop.run(signal)));
      await keeper.settled();
    },
    deliver(snapshot) {
      wanted = wantedOf(config, snapshot, log);
      keeper.setSnapshot(snapshot);
      // Each look ends with a save: before it, the removals that it sends would have to wait for this list's way to the disk.
      for (const loop of loops) loop.nudge();
    },
    status() {
      const snapshot = keeper.snapshot();
      return {
        service,
        ...(snapshot ? { revision: snapshot.revision } : {}),
        sockets: loops.map((loop) => loop.status()),
      };
    },
  };
}
