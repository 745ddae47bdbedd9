import { setTimeout as delay } from 'node:timers/promises';
import { consulCrowd, member } from './crowd.ts';
import { figure, type Section } from './figures.ts';
import { oneByOne } from './haproxy-prompt.ts';
import { fullList } from './hsdo-pass.ts';
import { startHsdo } from './hsdo-processes.ts';
import { hsdoTick } from './hsdo-tick.ts';
import { cpuMsOf, rssMibOf } from './process-cost.ts';
import { startSlotWatch } from './slot-watch.ts';
import { slotCount, startThousand } from './thousand.ts';

const members = Array.from({ length: slotCount }, (_, number) => member(number));
const secondsLong = 10;
const tickCount = 5;

/** Processor time of processes in each of the coming seconds, in percent of one core. */
async function percentOf(pids: readonly number[], seconds: number): Promise<number[][]> {
  const percents: number[][] = pids.map(() => []);
  for (let second = 0; second < seconds; second += 1) {
    const [before, startedAt] = [await Promise.all(pids.map(cpuMsOf)), performance.now()];
    await delay(1000);
    const after = await Promise.all(pids.map(cpuMsOf));
    const wallMs = performance.now() - startedAt;
    for (const [position, percent] of percents.entries())
      percent.push((((after[position] ?? 0) - (before[position] ?? 0)) / wallMs) * 100);
  }
  return percents;
}

/** HSDO's client as far as HAProxy goes: each second all commands, each on a connection of its own. */
async function hsdoPercent(socketPath: string): Promise<number[]> {
  const commands = hsdoTick(fullList('10.1', 10));
  const percents: number[] = [];
  for (let tick = 0; tick < tickCount; tick += 1) {
    const [before, startedAt] = [process.cpuUsage(), performance.now()];
    await oneByOne(socketPath, commands);
    await delay(Math.max(0, 1000 - (performance.now() - startedAt)));
    const { user, system } = process.cpuUsage(before);
    percents.push(((user + system) / 1000 / (performance.now() - startedAt)) * 100);
  }
  return percents;
}

/** What the processes cost while nothing happens. */
export async function idleProcess(): Promise<Section> {
  const haproxy = await startThousand({ hasChecks: true });
  const crowd = await consulCrowd(members);
  const hsdo = await startHsdo({ source: crowd.source, socketPath: haproxy.socketPath });
  const watch = await startSlotWatch(haproxy.socketPath);
  try {
    await watch.taken(members.length);
    watch.stop();
    await delay(3000);
    const pids = [hsdo.client.pid, hsdo.server.pid, await haproxy.workerPid()];
    const [client = [], server = [], worker = []] = await percentOf(pids, secondsLong);
    const rss = await Promise.all([hsdo.client.pid, hsdo.server.pid].map(rssMibOf));
    await hsdo.stop();
    const [hsdoWay, hsdoWorker] = await Promise.all([
      hsdoPercent(haproxy.socketPath),
      percentOf([await haproxy.workerPid()], tickCount),
    ]);
    return {
      name: 'idle-process',
      title: `What whole processes cost while nothing happens, ${slotCount} targets in ${slotCount} slots`,
      figures: [
        figure('hsdo client: CPU', '%', client),
        figure('hsdo client: memory', 'MiB', [rss[0] ?? 0]),
        figure('hsdo server: CPU', '%', server),
        figure('hsdo server: memory', 'MiB', [rss[1] ?? 0]),
        figure('HAProxy beside hsdo: CPU', '%', worker),
        figure("HSDO's commands each second: CPU", '%', hsdoWay),
        figure("HAProxy beside HSDO's commands: CPU", '%', hsdoWorker[0] ?? []),
      ],
      ratios: [],
      notes: [
        `Percent of one core, in each of ${secondsLong} seconds (${tickCount} for HSDO's way). hsdo looks at HAProxy five times a second; the embedded store and Consul are watched meanwhile.`,
      ],
    };
  } finally {
    watch.stop();
    await hsdo.stop();
    await crowd.stop();
    await haproxy.stop();
  }
}
