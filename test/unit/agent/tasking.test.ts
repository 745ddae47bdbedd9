import { afterEach, describe, expect, it } from 'vitest';
import { createClockOffset } from '../../../src/agent/clock-offset.ts';
import { createExchange } from '../../../src/agent/exchange.ts';
import { runTasking } from '../../../src/agent/tasking.ts';
import { systemClock as clock } from '../../../src/time/clock.ts';
import { type AgentServerStandIn, startAgentServer } from '../../fixtures/agent-server.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { until } from '../../fixtures/until.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Asks a server that does what the test says; what comes in as tasks is kept, and refused where it is `bad`. */
async function stage(tags: readonly string[] = ['eu west', 'gcp']) {
  const server = await startAgentServer();
  const log = recordingLog();
  const lists: (readonly unknown[])[] = [];
  const counts: number[] = [];
  const replace = (tasks: readonly unknown[]) => {
    lists.push(tasks);
    const bad = tasks.filter((task) => task === 'bad');
    return { count: tasks.length - bad.length, refusals: bad.map(() => ({ name: 'bad', reason: 'it is bad' })) };
  };
  const jobs = { replace, taskOf: () => undefined, close: () => Promise.resolve() };
  const place = { name: 'one', url: server.url, tags: [...tags] };
  const stopping = new AbortController();
  const offset = createClockOffset({ server: 'one', log }, () => {});
  const onTasks = (count: number) => void counts.push(count);
  const start = () => {
    const parts = { server: place, exchange: createExchange(place, clock), jobs, offset, clock, log, onTasks };
    const running = runTasking({ ...parts, tasksSeconds: 0.02, random: () => 0 }, stopping.signal);
    ends.push(server.close, async () => {
      stopping.abort();
      await running;
    });
  };
  return { server, log, lists, counts, start };
}

const questions = ({ asked }: AgentServerStandIn) => asked.length;

describe('an agent that asks for its tasks', () => {
  it('asks by all of its tags at once, as they stand in a URL, again and again', async () => {
    const { server, start, lists } = await stage();
    server.tasks = ['a', 'b'];
    start();
    await until('it asked often', () => questions(server) > 3);
    expect(server.asked[0]?.path).toBe('/api/v1/tasks?tags=eu%20west,gcp');
    expect(lists[0]).toEqual(['a', 'b']);
  });

  it.each([
    [403, { detail: 'Invalid API key' }, 'it answered 403: Invalid API key'],
    [500, 'oops', 'it answered 500'],
    [302, '', 'it answered 302'],
    [200, '<html>', 'it answered 200, which is no list of tasks'],
    [200, { tasks: 'none' }, 'it answered 200, which is no list of tasks'],
  ])('takes an answer %i with %j for no list at all, and says why', async (status, body, reason) => {
    const { server, start, lists, log } = await stage();
    server.answer = () => ({ status, body });
    start();
    await until('that is told', () => log.lines.length === 1);
    expect(log.lines[0]).toMatchObject({
      level: 'warn',
      message: 'asking a server for tasks fails',
      fields: { reason },
    });
    expect(lists).toEqual([]);
    server.answer = undefined;
    await until('it has the list', () => lists.length > 0);
  });

  it('tells how many there are and which cannot be done when that changes, not each time', async () => {
    const { server, start, log, counts } = await stage();
    server.tasks = ['a', 'bad'];
    start();
    await until('it asked often', () => counts.length > 3);
    server.tasks = ['a', 'b'];
    await until('it has the others', () => counts.at(-1) === 2);
    expect(log.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'info: a server has other tasks',
      'warn: a server has tasks that cannot be done here',
      'info: a server has other tasks',
      'info: all tasks of a server can be done here again',
    ]);
  });
});
