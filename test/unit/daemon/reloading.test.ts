import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../../src/daemon/lifecycle.ts';
import { createReloading } from '../../../src/daemon/reloading.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { until } from '../../fixtures/until.ts';

/** Configurations are letters here; `fixed` ones take a restart. */
function stage(first = 'a') {
  const disk: { says: { config: string } | { faults: readonly string[] } } = { says: { config: first } };
  const [log, metrics, clock] = [recordingLog(), createMetrics(), createFakeClock()];
  const told: string[] = [];
  const reloading = createReloading<string>({
    first,
    load: () => disk.says,
    restartPaths: (_, after) => (after === 'fixed' ? ['store'] : []),
    onChange: async (before, after) => void told.push(`${before} to ${after}`),
    clock,
    log,
    metrics,
  });
  const stopping = new AbortController();
  const play = (name: string, until = Promise.resolve()) =>
    reloading.each(async (config, closers, signal) => {
      told.push(`${name} plays ${config}`);
      closers.add(name, () => void told.push(`${name} closes ${config}`));
      await untilAborted(signal);
      told.push(`${name} is to end`);
      await until;
      told.push(`${name} ends ${config}`);
    }, stopping.signal);
  const successful = async () => (await metrics.configReloadSuccessful.get()).values[0]?.value;
  return { disk, log, told, reloading, play, successful, stop: () => stopping.abort(new Error('the test is over')) };
}

describe('a reload', () => {
  it('lets everybody end and close by the one configuration before anybody begins by the other', async () => {
    const { disk, told, reloading, play, stop } = stage();
    const plays = [play('x'), play('y')];
    await until('both play', () => told.length === 2);
    disk.says = { config: 'b' };
    await reloading.reload();
    await until('both play again', () => told.length === 11);
    expect(told.slice(0, 2)).toEqual(['x plays a', 'y plays a']);
    expect(told.slice(2, 8).sort()).toEqual([
      'x closes a',
      'x ends a',
      'x is to end',
      'y closes a',
      'y ends a',
      'y is to end',
    ]);
    expect(told.slice(8)).toEqual(['a to b', 'x plays b', 'y plays b']);
    stop();
    await Promise.all(plays);
    expect(told.slice(-4).sort()).toEqual(['x closes b', 'x ends b', 'y closes b', 'y ends b']);
  });

  it('of a faulty configuration changes nothing, says what is wrong, and is forgotten at the next that is right', async () => {
    const { disk, log, told, reloading, play, successful, stop } = stage();
    const plays = play('x');
    disk.says = { faults: ['env.yaml:3: size: expected a number', 'env.yaml:9: no such parameter'] };
    await reloading.reload();
    expect([told, await successful()]).toEqual([['x plays a'], 0]);
    expect(reloading.problems()).toEqual([
      {
        part: 'configuration',
        message: 'the reload was refused, the one before is in use: env.yaml:3: size: expected a number',
      },
    ]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: disk.says });
    disk.says = { config: 'b' };
    await reloading.reload();
    expect([reloading.problems(), await successful(), told.at(-1)]).toEqual([[], 1, 'x plays b']);
    stop();
    await plays;
  });

  it('of what takes a restart changes nothing, and names it', async () => {
    const { disk, told, reloading, play, stop } = stage();
    const plays = play('x');
    disk.says = { config: 'fixed' };
    await reloading.reload();
    expect(told).toEqual(['x plays a']);
    expect(reloading.problems()[0]?.message).toContain('store can only change at a restart');
    stop();
    await plays;
  });

  it('is waited for by whoever begins meanwhile', async () => {
    const { disk, told, reloading, play, stop } = stage();
    let open = () => {};
    const first = play('x', new Promise((resolve) => (open = resolve)));
    await until('it plays', () => told.length === 1);
    disk.says = { config: 'b' };
    const reloaded = reloading.reload();
    await until('x was told to end', () => told.includes('x is to end'));
    const late = play('y');
    open();
    await reloaded;
    await until('both play', () => told.includes('y plays b') && told.includes('x plays b'));
    expect(told).not.toContain('y plays a');
    stop();
    await Promise.all([first, late]);
  });

  it('comes after the one before', async () => {
    const { disk, told, reloading, play, stop } = stage();
    const plays = play('x');
    const versions = ['b', 'c'];
    Object.defineProperty(disk, 'says', { get: () => ({ config: versions.shift() }) });
    await Promise.all([reloading.reload(), reloading.reload()]);
    await until('it plays the newest', () => told.at(-1) === 'x plays c');
    expect(told.filter((line) => / to .$/.test(line))).toEqual(['a to b', 'b to c']);
    stop();
    await plays;
  });

  it('is for those that play: one that ends by itself, or fails, is not begun again', async () => {
    const { reloading, stop } = stage();
    const signal = new AbortController().signal;
    let plays = 0;
    await reloading.each(async () => {
      plays += 1;
    }, signal);
    const failing = reloading.each(() => Promise.reject(new Error('a bug')), signal);
    await expect(failing).rejects.toThrow('a bug');
    expect(plays).toBe(1);
    stop();
  });
});
