import { afterEach, describe, expect, it } from 'vitest';
import { createJobs } from '../../../src/agent/jobs.ts';
import { createCheck } from '../../../src/check/health-checks.ts';
import { createScheduler } from '../../../src/check/scheduler.ts';
import type { Target } from '../../../src/model/target.ts';
import { systemClock as clock } from '../../../src/time/clock.ts';
import { silentLog as log } from '../../fixtures/log.ts';
import { startTarget } from '../../fixtures/targets.ts';
import { until } from '../../fixtures/until.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Jobs of one server with a scheduler that asks real targets. */
function stage() {
  const probed: { readonly service: string; readonly target: Target }[] = [];
  const scheduler = createScheduler({ clock, log, onProbe: (service, target) => probed.push({ service, target }) });
  const jobs = createJobs({ owner: 'one', scheduler, makeCheck: createCheck, clock, log, allowExec: false });
  const stopping = new AbortController();
  const running = scheduler.run(stopping.signal);
  ends.push(async () => {
    stopping.abort();
    await running;
    await jobs.close();
  });
  const namesProbed = () => probed.map(({ target }) => target.id);
  return { jobs, scheduler, probed, namesProbed };
}

async function startedTask(domain: string, interval = 3600) {
  const target = await startTarget();
  ends.push(() => target.stop());
  const { address, port } = target;
  const place = { check_name: `${domain}:${address}:${port}`, domain, target_ip: address, port };
  return { ...place, type: 'tcp', timeout_sec: 5, interval_sec: interval };
}

describe('the tasks of a server', () => {
  it('begin at once, each for its own domain', async () => {
    const { jobs, probed } = stage();
    const [web, db] = [await startedTask('web'), await startedTask('db')];
    expect(jobs.replace([web, db])).toEqual({ count: 2, refusals: [] });
    await until('both are probed', () => probed.length === 2);
    const tasks = probed.map(({ service, target }) => jobs.taskOf(service, target));
    expect(new Set(tasks.map((task) => task?.check_name))).toEqual(new Set([db.check_name, web.check_name]));
  });

  it('go on undisturbed when the same list comes again, and a newcomer begins at once', async () => {
    const { jobs, namesProbed, scheduler } = stage();
    const [one, two] = [await startedTask('web'), await startedTask('web')];
    jobs.replace([one]);
    await until('the first is probed', () => namesProbed().length === 1);
    jobs.replace([structuredClone(one)]);
    jobs.replace([structuredClone(one), two]);
    await until('the second is probed', () => namesProbed().length === 2);
    expect(namesProbed()).toEqual([one.check_name, two.check_name]);
    expect(scheduler.figures().begun).toBe(2);
  });

  it('end when they are not in the list any more', async () => {
    const { jobs, scheduler, namesProbed, probed } = stage();
    const [one, two] = [await startedTask('web', 0.05), await startedTask('db', 0.05)];
    jobs.replace([one, two]);
    await until('both are probed', () => new Set(namesProbed()).size === 2);
    jobs.replace([two]);
    expect(scheduler.figures().targets).toBe(1);
    const gone = probed.find(({ target }) => target.id === one.check_name);
    expect(gone && jobs.taskOf(gone.service, gone.target)).toBeUndefined();
    jobs.replace([]);
    expect(scheduler.figures().targets).toBe(0);
  });

  it('that are wrong, or there twice, are refused by name while the others go on', async () => {
    const { jobs, namesProbed } = stage();
    const good = await startedTask('web');
    const { count, refusals } = jobs.replace([null, good, { ...good }, { ...good, check_name: 'x', port: 70_000 }]);
    expect({ count, names: refusals.map(({ name }) => name) }).toEqual({
      count: 1,
      names: ['a task without check_name', good.check_name, 'x'],
    });
    await until('the good one is probed', () => namesProbed().includes(good.check_name));
  });
});
