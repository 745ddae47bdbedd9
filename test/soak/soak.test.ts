import { join } from 'node:path';
import { expect, it } from 'vitest';
import { size, startCluster } from '../fixtures/cluster.ts';
import { describeWith } from '../fixtures/component.ts';
import { faultsIn, lostIn, movesIn, recordSqlite } from '../fixtures/history.ts';
import { type Load, type LoadCount, startLoad } from '../fixtures/load.ts';
import { type Stage, stageWithConsul, stageWithFile } from '../fixtures/stages.ts';
import { startTargets } from '../fixtures/targets.ts';
import { type Dice, type Fault, faults, type World } from './faults.ts';

/**
 * `npm run soak`. HSDO_SOAK_MINUTES (default 10), HSDO_SOAK_SEED (default: a new one, printed) and HSDO_SOAK_SOURCE
 * (file or consul) choose what is played; the same seed throws the same faults in the same order.
 */
const minutes = Number(process.env['HSDO_SOAK_MINUTES'] ?? 10);
const seed = Number(process.env['HSDO_SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const source = process.env['HSDO_SOAK_SOURCE'] ?? 'file';

/** mulberry32: small, and the same on every machine. */
function dice(start: number): Dice {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function drawFaults(random: Dice): readonly Fault[] {
  const draw = () => faults[Math.floor(random() * faults.length)] as Fault;
  const first = draw();
  const second = draw();
  return random() < 0.4 && second.part !== first.part ? [first, second] : [first];
}

/** What went wrong with requests; nothing may. */
function failuresOf(load: Load, addresses: ReadonlySet<string>): readonly string[] {
  const failures = ({ byStatus, byTarget, cut, refused, errors }: LoadCount) => [
    ...[...byStatus].filter(([status]) => status !== 200).map(([status, count]) => `${count} times status ${status}`),
    ...[...byTarget.keys()].filter((target) => !addresses.has(target)).map((target) => `answered by "${target}"`),
    ...(cut > 0 || refused > 0 ? [`${cut} cut, ${refused} refused: ${errors.join('; ')}`] : []),
  ];
  return [...failures(load.fresh), ...failures(load.keptAlive)];
}

async function play(stage: Stage, say: (line: string) => void): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [() => stage.remove()];
  try {
    const targets = await startTargets(size - 2);
    closers.push(...targets.map((one) => () => one.stop()));
    const addresses = new Set(targets.map(({ address }) => address));
    await stage.source.set(targets);
    // Both servers vote; whatever befalls them, no target that is well may go out over it.
    const service = { check: { kind: 'http', path: '/health', intervalSeconds: 0.5, timeoutSeconds: 5 } };
    const cluster = await startCluster({ ...stage, source: stage.source.config, service });
    closers.push(() => cluster.remove());
    await cluster.serving([...addresses]);
    const history = recordSqlite(join(cluster.storeFolder, 'hsdo.db'));
    closers.push(async () => history.close());

    let answered = 0;
    const begin = (position: number) => startLoad(cluster.haproxies[position]?.url ?? '', { clients: 1, pauseMs: 10 });
    const loads = [begin(0), begin(1)];
    const end = async (position: number) => {
      const load = loads[position] as Load;
      await load.stop();
      expect(failuresOf(load, addresses)).toEqual([]);
      answered += load.fresh.answered + load.keptAlive.answered;
    };
    const world: World = {
      cluster,
      stage,
      targets,
      present: targets,
      async withoutLoad(position) {
        await end(position);
        return () => {
          loads[position] = begin(position);
        };
      },
    };

    let absent = new Map<string, number>();
    const check = async () => {
      const slots = await cluster.serving(world.present.map(({ address }) => address));
      for (const load of loads) expect(failuresOf(load, addresses)).toEqual([]);
      expect(faultsIn(history.read())).toEqual([]);
      expect(movesIn(history.lists())).toEqual([]);
      expect(lostIn(history.lists())).toEqual([]);
      const housed = new Set(slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot.target.address])));
      const now = targets
        .filter(({ address }) => !housed.has(address))
        .map((one) => [one.address, one.requests()] as const);
      return new Map(now);
    };
    const endsAt = performance.now() + minutes * 60_000;
    let step = 0;
    for (; performance.now() < endsAt; step += 1) {
      const drawn = drawFaults(dice(seed + step));
      say(`step ${step}: ${drawn.map(({ name }) => name).join(' while ')}`);
      const isPresent = new Set(world.present.map(({ address }) => address));
      await Promise.all(drawn.map((fault, n) => fault.run(world, dice(seed - step * 2 - n - 1))));
      const next = await check();
      for (const [address, requests] of next) {
        // Out before, out now, and never in between: nobody may have asked it.
        if (absent.has(address) && !isPresent.has(address))
          expect({ address, requests }).toEqual({ address, requests: absent.get(address) });
      }
      absent = next;
    }
    await Promise.all([end(0), end(1)]);
    const published = history.read();
    say(
      `${step} steps, ${answered} requests, ${published.length} lists, epoch ${published.at(-1)?.epoch}; none failed`,
    );
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

describeWith(['haproxy', ...(source === 'consul' ? ['consul'] : [])], `a soak of ${minutes} minutes`, () => {
  it(`holds every promise through random faults (HSDO_SOAK_SEED=${seed})`, async () => {
    const lines: string[] = [];
    const say = (line: string) => {
      lines.push(line);
      process.stdout.write(`soak ${seed}: ${line}\n`);
    };
    try {
      await play(await (source === 'consul' ? stageWithConsul() : stageWithFile()), say);
    } catch (cause) {
      throw new Error(`seed ${seed} failed after: ${lines.slice(-5).join(' | ')}`, { cause });
    }
  });
});
