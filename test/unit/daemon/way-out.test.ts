import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceSchema } from '../../../src/config/schema.ts';
import { createClosers } from '../../../src/daemon/lifecycle.ts';
import { createObserving } from '../../../src/daemon/observing/observing.ts';
import { isWatched } from '../../../src/daemon/observing/watching.ts';
import { createWayOut } from '../../../src/daemon/observing/way-out.ts';
import { passed } from '../../../src/model/probe.ts';
import { createBallotReader } from '../../../src/publish/ballot-reader.ts';
import { createBallotWriter } from '../../../src/publish/ballot-writer.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { targets } from '../../fixtures/lists.ts';
import { recordingLog, silentLog } from '../../fixtures/log.ts';
import { freePort } from '../../fixtures/ports.ts';
import { type Program, startProgram } from '../../fixtures/program.ts';
import { until } from '../../fixtures/until.ts';

const never = new AbortController().signal;

/** A listener that can be made to answer nobody, as behind a cut line: it sleeps, and its queue is full. */
async function startPlace() {
  const port = await freePort();
  const text = `require('node:net').createServer((s) => s.on('error', () => {}).end()).listen({ port: ${port}, host: '127.0.0.1', backlog: 1 }, () => console.log('up'))`;
  const program: Program = startProgram(process.execPath, ['-e', text]);
  await until('it listens', () => program.stdout().includes('up'));
  const fillers: Socket[] = [];
  const knock = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(true));
      fillers.push(socket);
      setTimeout(() => resolve(false), 200);
    });
  return {
    place: `127.0.0.1:${port}`,
    async cut() {
      program.signal('SIGSTOP');
      await until('nobody gets through', async () => !(await knock()));
    },
    restore() {
      program.signal('SIGCONT');
      for (const socket of fillers.splice(0)) socket.destroy();
    },
    async stop() {
      for (const socket of fillers) socket.destroy();
      program.signal('SIGCONT');
      await program.stop();
    },
  };
}

/** Time passes in steps, and what really happens meanwhile has time to happen. */
const passUntil = (what: string, clock: FakeClock, holds: () => boolean | Promise<boolean>) =>
  until(what, async () => {
    await clock.advance(250);
    return holds();
  });

describe('the way out', { timeout: 20_000 }, () => {
  let away: Awaited<ReturnType<typeof startPlace>>;
  let stopping: AbortController;
  let running: Promise<unknown>;
  beforeEach(async () => {
    away = await startPlace();
    stopping = new AbortController();
    running = Promise.resolve();
  });
  afterEach(async () => {
    stopping.abort(new Error('the test is over'));
    await running;
    await away.stop();
  });

  it('closes after two looks in a row that failed, says so once, and opens with the first that works', async () => {
    const [clock, log, told] = [createFakeClock(), recordingLog(), [] as (string | undefined)[]];
    const wayOut = createWayOut([away.place], { clock, log, onChange: (closed) => void told.push(closed) });
    expect(wayOut.closed()).toBeUndefined();
    const startedAt = performance.now();
    running = wayOut.run(stopping.signal);
    await away.cut();
    await passUntil('it is closed', clock, () => wayOut.closed() !== undefined);
    // Deadlines are real: two looks take 1.5 s each, and one alone would be over by half of that.
    expect(performance.now() - startedAt).toBeGreaterThan(2500);
    expect(wayOut.closed()).toBe(`its own way out is closed: none of ${away.place} can be reached`);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { reason: expect.stringContaining(away.place) } }]);
    away.restore();
    await passUntil('it is open', clock, () => wayOut.closed() === undefined);
    expect(told).toEqual([expect.stringContaining(away.place), undefined]);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });

  it('is open as long as one place is reached, were it by a refusal', async () => {
    const refusing = `127.0.0.1:${await freePort()}`;
    const fake = createFakeClock();
    let looks = 0;
    const clock: FakeClock = {
      ...fake,
      // One rest follows each look.
      sleep(ms, signal) {
        looks += 1;
        return fake.sleep(ms, signal);
      },
    };
    const wayOut = createWayOut([away.place, refusing], { clock, log: silentLog, onChange: () => {} });
    await away.cut();
    running = wayOut.run(stopping.signal);
    await passUntil('two looks are over', clock, () => looks >= 2);
    expect(wayOut.closed()).toBeUndefined();
  });

  it('takes the votes of its observer away for everybody to see while it is closed, and gives them back', async () => {
    const [clock, store] = [createFakeClock(), openMemoryStore(createMemoryEngine())];
    const service = serviceSchema.parse({ name: 'web', source: { kind: 'static', targets: [] }, check: 'tcp' });
    if (!isWatched(service)) throw new Error('it has a check');
    const observing = createObserving({
      config: {
        cluster: { name: 'hsdo', nodeId: 's1', leaseTtlSeconds: 10, heartbeatSeconds: 5, nodeTtlSeconds: 30 },
        checks: { concurrency: 10, firstWaitSeconds: 10, wayOut: [away.place] },
      },
      clock,
      log: silentLog,
      metrics: createMetrics(),
      closers: createClosers(),
      watched: [{ service, targets: () => targets('a') }],
      writer: createBallotWriter({ store, observer: 's1', isTransient: false, ttlMs: 30_000, clock }),
      makeCheck: () => ({ check: async () => passed('well') }),
      openStatistics: async () => ({
        run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
      }),
    });
    const reader = createBallotReader({ store, clock });
    const seen = async () => (await reader.read(never))[0];
    running = observing.run(stopping.signal);
    await passUntil('it votes', clock, async () => (await seen())?.ballot.services.get('web')?.has('a') === true);
    expect(await seen()).not.toHaveProperty('abstains');
    await away.cut();
    await passUntil('it abstains', clock, async () => (await seen())?.abstains !== undefined);
    expect(await seen()).toMatchObject({ isFresh: true, abstains: expect.stringContaining('way out is closed') });
    away.restore();
    await passUntil('it votes again', clock, async () => (await seen())?.abstains === undefined);
    expect((await seen())?.ballot.services.get('web')?.get('a')).toMatchObject({ health: 'up' });
  });
});
