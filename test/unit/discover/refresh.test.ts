import { describe, expect, it } from 'vitest';
import { createRefresh } from '../../../src/discover/refresh.ts';
import type { DiscoverySource, Sighting } from '../../../src/discover/source.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const web = (n: number): Sighting => ({ id: `i-${n}`, name: `i-${n}`, address: `10.0.0.${n}`, group: 'web' });
const away = () => new HsdoError('unavailable', 'it is away');

/** A source that answers what the test says, read every second on a clock that stands still. */
function setUp(changed?: DiscoverySource['changed'], standsMs?: number) {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const lines: string[] = [];
  const write = (_: unknown, text?: string) => void lines.push(text ?? '');
  const log = { debug: write, info: write, warn: write, error: write };
  const world = { answer: (): readonly Sighting[] => [web(1)], reads: 0, news: [] as boolean[] };
  const source: DiscoverySource = {
    discover: () => {
      world.reads += 1;
      return Promise.resolve().then(() => world.answer());
    },
    ...(changed ? { changed } : {}),
    ...(standsMs === undefined ? {} : { standsMs: () => standsMs }),
  };
  const stopping = new AbortController();
  const refresh = createRefresh({
    service: 'web',
    label: 'test',
    source,
    clock,
    intervalMs: 1000,
    deadlineMs: 5000,
    log,
    metrics,
    onRead: (isChanged) => void world.news.push(isChanged),
    random: () => 1,
  });
  const running = refresh.run(stopping.signal);
  const stop = () => {
    stopping.abort(new Error('stopped'));
    return running;
  };
  return { clock, metrics, lines, world, refresh, stop };
}

const fail = (error: unknown) => () => {
  throw error;
};

describe('a refresh', () => {
  it('does not ask again before the time for which an answer stands, but never more often than its interval', async () => {
    const long = setUp(undefined, 10_000);
    await long.clock.advance(9999);
    expect(long.world.reads).toBe(1);
    await long.clock.advance(1);
    expect(long.world.reads).toBe(2);
    await long.stop();
    const short = setUp(undefined, 10);
    await short.clock.advance(999);
    expect(short.world.reads).toBe(1);
    await short.stop();
  });

  it('reads at once, then at every interval, and tells news from repetition', async () => {
    const { clock, world, refresh, stop } = setUp();
    expect(refresh.latest()).toBeUndefined();
    await clock.advance(0);
    expect(refresh.latest()?.targets.map(({ id }) => id)).toEqual(['i-1']);
    await clock.advance(2000);
    world.answer = () => [web(1), web(2)];
    await clock.advance(1000);
    expect(world.news).toEqual([true, false, false, true]);
    expect(refresh.latest()).toMatchObject({ reads: 4, readAt: clock.now() });
    await stop();
  });

  it('keeps the last good set through any failure, asks less and less often, and recovers by itself', async () => {
    const { clock, world, refresh, lines, stop } = setUp();
    await clock.advance(0);
    world.answer = fail(away());
    await clock.advance(1000);
    const failedAt = clock.now();
    expect(refresh.status()).toEqual({
      label: 'test',
      lastSuccessAt: failedAt - 1000,
      lastError: 'it is away',
      nextTryAt: failedAt + 1000,
      failures: 1,
      targets: 1,
    });
    await clock.advance(86_400_000);
    expect(refresh.latest()?.targets).toHaveLength(1);
    expect(world.reads).toBeLessThan(86_400 / 30 + 10);
    world.answer = () => [web(3)];
    await clock.advance(30_000);
    expect(refresh.latest()?.targets[0]?.id).toBe('i-3');
    expect(refresh.status()).toMatchObject({ failures: 0 });
    expect(refresh.status()).not.toHaveProperty('lastError');
    expect(lines).toEqual(['reading a source fails', 'reading a source works again']);
    await stop();
  });

  it('takes what a source throws without meaning, or gives instead of a list, for a source that is away', async () => {
    const { clock, world, refresh, metrics, stop } = setUp();
    world.answer = fail(new TypeError('x is not a function'));
    await clock.advance(0);
    expect(refresh.status().lastError).toBe('Cannot read source "test" of service "web": x is not a function');
    world.answer = () => ({}) as never;
    await clock.advance(1000);
    expect(refresh.status().failures).toBe(2);
    world.answer = fail(new HsdoError('rejected', 'no right'));
    await clock.advance(2000);
    const { values } = await metrics.sourceErrors.get();
    expect(values.map(({ labels, value }) => [labels['kind'], value])).toEqual([
      ['bug', 2],
      ['rejected', 1],
    ]);
    await stop();
  });

  it('tells refusals once per change, and counts them', async () => {
    const { clock, world, refresh, lines, metrics, stop } = setUp();
    world.answer = () => [web(1), { ...web(2), port: 0 }];
    await clock.advance(3000);
    expect(refresh.latest()?.refusals).toHaveLength(1);
    expect((await metrics.sourceRefusals.get()).values[0]?.value).toBe(1);
    world.answer = () => [web(1)];
    await clock.advance(3000);
    expect(lines).toEqual([
      'a source reports values that are not targets',
      'a source reports nothing but targets again',
    ]);
    await stop();
  });

  it('ends when it is told to, also in the middle of a read', async () => {
    const { clock, world, stop } = setUp();
    world.answer = () => new Promise<never>(() => {}) as never;
    await clock.advance(0);
    await stop();
    expect(world.reads).toBe(1);
  });
});

describe('a refresh of a source that gives hints', () => {
  /** Hints that the test gives one by one. */
  function hints() {
    let wake = () => {};
    let fall: (error: Error) => void = () => {};
    const state = { calls: 0, wake: () => wake(), reject: () => fall(new Error('no watch')) };
    const changed = () => {
      state.calls += 1;
      return new Promise<void>((resolve, reject) => {
        [wake, fall] = [resolve, reject];
      });
    };
    return { state, changed };
  }

  it('reads at once after the first hint, and waits for one hint at a time', async () => {
    const { state, changed } = hints();
    const { clock, world, stop } = setUp(changed);
    await clock.advance(5500);
    expect(world.reads).toBe(6);
    expect(state.calls).toBe(1);
    world.answer = () => [web(2)];
    state.wake();
    await clock.advance(0);
    expect(world.news.at(-1)).toBe(true);
    expect(state.calls).toBe(2);
    await stop();
  });

  it('is woken out of its back-off', async () => {
    const { state, changed } = hints();
    const { clock, world, refresh, stop } = setUp(changed);
    world.answer = fail(away());
    await clock.advance(120_000);
    world.answer = () => [web(2)];
    state.wake();
    await clock.advance(0);
    expect(refresh.latest()?.targets[0]?.id).toBe('i-2');
    await stop();
  });

  it('does not spin for a source that cries wolf, and still follows one whose every cry is true', async () => {
    const { clock, world, stop } = setUp(() => Promise.resolve());
    await clock.advance(60_000);
    expect(world.reads).toBeLessThan(70);
    let n = 1;
    world.answer = () => {
      n = (n % 250) + 1;
      return [web(n)];
    };
    await clock.advance(2000);
    const before = world.reads;
    await clock.advance(10_000);
    expect(world.reads - before).toBeGreaterThan(90);
    expect(world.reads - before).toBeLessThan(115);
    await stop();
  });

  it('falls back to its interval while hints are rejected, and tries them again ever less often', async () => {
    let calls = 0;
    const { clock, world, lines, stop } = setUp(() => {
      calls += 1;
      return Promise.reject(new Error('no watch'));
    });
    await clock.advance(600_000);
    expect(world.reads).toBe(601);
    expect(calls).toBeLessThan(30);
    expect(lines).toEqual(['waiting for changes of a source fails']);
    await stop();
  });

  it('outlives a source that throws instead of rejecting', async () => {
    const { clock, world, stop } = setUp(fail(new Error('not even a promise')));
    await clock.advance(10_000);
    expect(world.reads).toBe(11);
    await stop();
  });
});
