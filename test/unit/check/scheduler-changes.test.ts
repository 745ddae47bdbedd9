import { describe, expect, it } from 'vitest';
import { setUp, target, targets } from './scheduler-stage.ts';

describe('a running scheduler', () => {
  it('takes whoever has been due for longest when all places are taken', async () => {
    const stage = setUp({ concurrency: 2 });
    stage.world.tookMs = () => 100;
    stage.scheduler.set('web', stage.job(targets(12), 10_000));
    await stage.clock.advance(1);
    expect(stage.running()).toHaveLength(2);
    await stage.clock.advance(20);
    expect(stage.scheduler.figures()).toMatchObject({ targets: 12, running: 2, waiting: 10, begun: 2 });
    expect(stage.scheduler.figures().latenessMs).toBeGreaterThan(15);
    await stage.clock.advance(700);
    expect(stage.world.mostRunning).toBe(2);
    expect(new Set(stage.starts.map(({ id }) => id)).size).toBe(12);
    const planned = stage.told.map(({ startedAt, delayMs }) => startedAt - delayMs);
    expect(planned).toEqual([...planned].sort((a, b) => a - b));
    await stage.stop();
  });

  it('asks the others on time while a third of the targets swallows every packet', async () => {
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
  });

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
    stage.scheduler.set('web', stage.job(targets(100)));
    await stage.clock.advance(100);
    expect(stage.running()).toHaveLength(100);
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
