import { describe, expect, it } from 'vitest';
import { setUp, target, targets } from './scheduler-stage.ts';

/** For scenes of thousands of probes, on a machine that has other work. */
const longMs = 60_000;

describe('a running scheduler', () => {
  it('takes whoever has been due for longest when all places are taken', async () => {
    const stage = setUp({ concurrency: 2, maxRunning: 2 });
    stage.world.tookMs = () => 100;
    stage.scheduler.set('web', stage.job(targets(40), 1000));
    await stage.clock.advance(1);
    expect(stage.scheduler.figures()).toMatchObject({ targets: 40, running: 2, begun: 2 });
    await stage.clock.advance(10_000);
    const { waiting, latenessMs, skipped } = stage.scheduler.figures();
    expect([waiting > 10, latenessMs > 500, skipped > 100]).toEqual([true, true, true]);
    const settled = stage.told.filter(({ startedAt }) => startedAt > 4000);
    const planned = settled.map(({ startedAt, delayMs }) => startedAt - delayMs);
    for (const [index, at] of planned.entries()) expect(at).toBeGreaterThan((planned[index - 1] ?? 0) - 0.001);
    const counts = targets(40).map(({ id }) => settled.filter((one) => one.target.id === id).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(stage.world.mostRunning).toBe(2);
    await stage.stop();
  });

  it(
    'lets those that have a turn go before newcomers, whose first probe is early and never late',
    async () => {
      const stage = setUp({ concurrency: 100 });
      stage.world.tookMs = () => 20;
      stage.scheduler.set('web', stage.job(targets(1000), 1000));
      await stage.clock.advance(3000);
      stage.scheduler.set('mail', stage.job(targets(5000, 1000), 60_000));
      await stage.clock.advance(2000);
      const late = stage.told.filter(({ startedAt }) => startedAt >= 3000);
      const mail = late.filter(({ service }) => service === 'mail');
      expect(new Set(mail.map((one) => one.target.id)).size).toBe(5000);
      expect(late.filter(({ service }) => service === 'web').length).toBeGreaterThan(1950);
      expect(Math.max(...late.map(({ delayMs }) => delayMs))).toBeLessThan(6);
      await stage.stop();
    },
    longMs,
  );

  it(
    'asks the others on time while a third of the targets swallows every packet',
    async () => {
      const stage = setUp({ concurrency: 64 });
      const isHole = (id: string) => Number(id.slice(2)) % 3 === 0;
      stage.world.tookMs = ({ id }) => (isHole(id) ? 5000 : 5);
      stage.scheduler.set('web', stage.job(targets(1500), 5000));
      await stage.clock.advance(20_000);
      const late = stage.told.filter((one) => one.startedAt > 5000 && !isHole(one.target.id));
      expect(late.length).toBeGreaterThanOrEqual(2900);
      expect(Math.max(...late.map(({ delayMs }) => delayMs))).toBeLessThan(50);
      expect(stage.world.mostRunning).toBeGreaterThan(450);
      await stage.stop();
      expect(stage.running()).toEqual([]);
    },
    longMs,
  );

  it('holds to the bound of all, however long they wait', async () => {
    const stage = setUp({ concurrency: 10, maxRunning: 30 });
    stage.world.tookMs = () => 100_000;
    stage.scheduler.set('web', stage.job(targets(100)));
    await stage.clock.advance(5000);
    expect(stage.world.mostRunning).toBe(30);
    await stage.stop();
  });

  it('lets known targets keep their turns when the list is replaced, and asks newcomers soon', async () => {
    const stage = setUp();
    stage.scheduler.set('web', stage.job(targets(3)));
    await stage.clock.advance(5000);
    const turn = (stage.startsOf('i-1').at(-1) ?? 0) % 1000;
    stage.scheduler.set('web', stage.job([{ ...target(1), weight: 7 }, target(2), target(9)]));
    await stage.clock.advance(5);
    expect(stage.startsOf('i-9').length).toBe(1);
    const before = stage.startsOf('i-0').length;
    await stage.clock.advance(5000);
    expect(stage.startsOf('i-0').length).toBe(before);
    for (const at of stage.startsOf('i-1').slice(-4)) expect(at % 1000).toBeCloseTo(turn, 3);
    expect(stage.startsOf('i-1')).toHaveLength(stage.startsOf('i-2').length);
    expect(stage.told.at(-1)?.target.weight ?? 7).toBe(7);
    await stage.stop();
  });

  it('follows a shorter interval at once', async () => {
    const stage = setUp();
    stage.scheduler.set('web', stage.job([target(1)], 3_600_000));
    await stage.clock.advance(100);
    const before = stage.starts.length;
    stage.scheduler.set('web', stage.job([target(1)], 200));
    await stage.clock.advance(200);
    expect(stage.starts.length - before).toBe(1);
    await stage.stop();
  });

  it('breaks off the probe of a target that is gone or moved, and tells nobody', async () => {
    const stage = setUp();
    stage.world.tookMs = () => 500;
    stage.scheduler.set('web', stage.job(targets(3), 10_000));
    await stage.clock.advance(5);
    expect(stage.running()).toHaveLength(3);
    stage.scheduler.set('web', stage.job([target(0), { ...target(1), address: '10.9.9.9' }], 10_000));
    await stage.clock.advance(5);
    expect(stage.world.broken).toBe(2);
    await stage.clock.advance(600);
    expect(stage.told.map((one) => one.target.address).sort()).toEqual(['10.0.0.0', '10.9.9.9']);
    stage.scheduler.remove('web');
    await stage.clock.advance(50_000);
    expect(stage.told).toHaveLength(2);
    expect(stage.scheduler.figures()).toMatchObject({ targets: 0, running: 0, waiting: 0 });
    await stage.stop();
  });

  it('asks anew with another check, and drops what the old one would have said', async () => {
    const stage = setUp();
    stage.world.tookMs = () => 500;
    stage.scheduler.set('web', stage.job([target(1)], 60_000));
    await stage.clock.advance(50);
    const other = stage.createCheck();
    stage.scheduler.set('web', { ...stage.job([target(1)], 60_000), check: other });
    await stage.clock.advance(400);
    expect(stage.told).toHaveLength(0);
    await stage.clock.advance(300);
    expect(stage.told.map(({ startedAt }) => startedAt)).toEqual([100]);
    await stage.stop();
  });

  it('asks at once on a hint, again after the probe that runs, and ten times a second at most', async () => {
    const stage = setUp();
    stage.scheduler.set('web', stage.job([target(1)], 60_000));
    await stage.clock.advance(5000);
    const before = stage.starts.length;
    stage.scheduler.checkSoon('web', 'i-1');
    stage.scheduler.checkSoon('web', 'i-unknown');
    stage.scheduler.checkSoon('mail', 'i-1');
    await stage.clock.advance(0);
    expect(stage.starts.slice(before)).toEqual([{ id: 'i-1', at: 5000 }]);
    stage.scheduler.checkSoon('web', 'i-1');
    await stage.clock.advance(99);
    expect(stage.starts).toHaveLength(before + 1);
    await stage.clock.advance(1);
    expect(stage.starts.at(-1)?.at).toBe(5100);
    for (let hint = 0; hint < 1000; hint += 1) {
      stage.scheduler.checkSoon('web', 'i-1');
      await stage.clock.advance(1);
    }
    expect(stage.starts.length).toBeLessThanOrEqual(before + 13);
    await stage.stop();
  });

  it('goes on whatever a check throws or answers', async () => {
    const stage = setUp();
    const bad: (() => unknown)[] = [
      () => Promise.reject(new Error('broken')),
      () => {
        throw new TypeError('at once');
      },
      () => undefined,
      () => Promise.resolve({ result: 'perhaps' }),
      () => Promise.reject(),
    ];
    let call = 0;
    const check = { check: () => bad[call++ % bad.length]?.() as Promise<never> };
    stage.scheduler.set('web', { ...stage.job([target(1)]), check });
    stage.scheduler.set('mail', stage.job([target(2)]));
    await stage.clock.advance(9000);
    const broken = stage.told.filter(({ service }) => service === 'web');
    expect(broken.length).toBeGreaterThanOrEqual(9);
    for (const { probe } of broken) expect(probe).toMatchObject({ result: 'unknown', code: 'error' });
    expect(broken[0]?.probe.message).toContain('broken');
    expect(stage.told.filter(({ service }) => service === 'mail').length).toBeGreaterThanOrEqual(9);
    await stage.stop();
  });

  it('stops every probe when it is stopped', async () => {
    const stage = setUp();
    stage.world.tookMs = () => 1_000_000;
    stage.scheduler.set('web', stage.job(targets(60)));
    await stage.clock.advance(100);
    expect(stage.running()).toHaveLength(60);
    await stage.stop();
    expect(stage.running()).toEqual([]);
    expect(stage.told).toEqual([]);
    expect(stage.scheduler.figures().running).toBe(0);
  });

  it('ends with the error of its own listener, which is a bug', async () => {
    const stage = setUp({
      onProbe: () => {
        throw new RangeError('a bug');
      },
    });
    stage.scheduler.set('web', stage.job(targets(2)));
    await stage.clock.advance(100);
    await expect(stage.done).rejects.toThrow('a bug');
  });

  it('says once that checks begin late, and once that they are on time again', async () => {
    const stage = setUp({ concurrency: 1, maxRunning: 1 });
    stage.world.tookMs = () => (stage.clock.monotonic() < 10_000 ? 600 : 1);
    stage.scheduler.set('web', stage.job(targets(10), 1000));
    await stage.clock.advance(20_000);
    expect(stage.log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'checks begin late: too many are running, or this process has too little time'],
      ['info', 'checks begin on time again'],
    ]);
    await stage.stop();
  });
});
