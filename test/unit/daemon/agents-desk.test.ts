import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { AgentReport } from '../../../src/agent/wire.ts';
import { createAgentDesk, deskLimits } from '../../../src/daemon/agents/agents-desk.ts';
import { createAgentTelling, formerVotes } from '../../../src/daemon/agents/agents-telling.ts';
import type { Target } from '../../../src/model/target.ts';
import { createBallotReader, type RegisteredObserver } from '../../../src/publish/ballot-reader.ts';
import { createMemoryEngine, openMemoryStore } from '../../../src/store/memory.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createNudge } from '../../../src/time/nudge.ts';
import { reportAt, rosterOf, targetsNamed } from '../../fixtures/agent-desk.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);
const [a, b] = targetsNamed('ab') as [Target, Target];
const fields = { check: { kind: 'tcp', rise: 1, fall: 1, holdDown: { seconds: 0 } }, agents: { freshSeconds: 12 } };

/** Servers over one store; all of them look once in a second of the one clock. */
function cluster() {
  const [clock, engine] = [createFakeClock(), createMemoryEngine()];
  const servers = new Set<ReturnType<typeof startServer>>();
  return {
    clock,
    start(service: Readonly<Record<string, unknown>> = fields) {
      const server = startServer(clock, engine, service);
      servers.add(server);
      return server;
    },
    kill(server: ReturnType<typeof startServer>) {
      server.stopping.abort();
      servers.delete(server);
    },
    async pass(seconds: number) {
      for (let n = 0; n < seconds; n += 1) {
        await clock.advance(1000);
        // What was nudged before is written by then, and so is what the second brought.
        for (let turn = 0; turn < 5; turn += 1) await clock.advance(0);
        for (const server of servers) await server.read();
        await clock.advance(0);
      }
    },
  };
}

function startServer(clock: FakeClock, engine: ReturnType<typeof createMemoryEngine>, service: object) {
  const store = openMemoryStore(engine);
  const { roster, set } = rosterOf(clock, { ...service });
  const [log, cast, stopping, reader] = [
    recordingLog(),
    createNudge(),
    new AbortController(),
    createBallotReader({ store, clock }),
  ];
  let observers: readonly RegisteredObserver[] | undefined;
  const desk = createAgentDesk({
    nodeId: 'server-1',
    rosters: new Map([['web', roster]]),
    observers: () => observers,
    former: (agent) => formerVotes({ store, clock, log, agent }, never),
    onNews: cast.nudge,
    clock,
  });
  const parts = {
    desk,
    cast,
    intervalMs: 1000,
    store,
    observers: () => observers,
    clock,
    log,
    metrics: createMetrics(),
  };
  const telling = createAgentTelling(parts);
  void telling.run(stopping.signal);
  return {
    desk,
    set,
    log,
    stopping,
    take: (report: AgentReport) => desk.take(roster, report),
    say: (target: Target, status: 'ok' | 'fail', more: Partial<AgentReport> = {}) =>
      desk.take(roster, reportAt(clock, roster, target, status, more)),
    async read() {
      observers = await reader.read(never);
    },
    /** What the electorate knows of the agents, as `one: a up`. */
    told: () =>
      (observers ?? []).map(({ id, isFresh, abstains, ballot }) => {
        const votes = [...(ballot.services.get('web') ?? [])].map(([target, { health }]) => `${target} ${health}`);
        return `${id}:${isFresh ? '' : ' stale'}${abstains ? ' silent' : ''} ${votes.sort().join(', ')}`.trim();
      }),
  };
}

describe('agents at one server', () => {
  it('are observers with a vote for each report that counts, and leave when they are silent', async () => {
    const { start, pass } = cluster();
    const server = start();
    await server.say(a, 'ok');
    await server.say(b, 'fail', { agent_id: 'two' });
    await pass(1);
    expect(server.told()).toEqual(['one: a up', 'two: b down']);
    for (let n = 0; n < 20; n += 1) {
      await server.say(a, 'fail');
      await pass(1);
    }
    expect([server.told(), server.desk.agents().map(({ id }) => id)]).toEqual([['one: a down'], ['one']]);
  });

  it('stay registered without votes where they leave by decommission only', async () => {
    const { start, pass } = cluster();
    const server = start({ ...fields, agents: { freshSeconds: 12, leave: 'decommission' } });
    await server.say(a, 'ok');
    await pass(13);
    expect([server.told(), server.desk.agents()]).toEqual([['one: silent'], []]);
    await pass(13);
    expect(server.told()).toEqual(['one: stale silent']);
    await server.say(b, 'ok');
    await pass(1);
    expect(server.told()).toEqual(['one: b up']);
  });

  it('lose no vote over a restart of the server', async () => {
    const { start, pass, kill } = cluster();
    const before = start();
    for (const target of [a, b]) await before.say(target, 'ok');
    await pass(1);
    kill(before);
    const after = start();
    await pass(2);
    await after.say(a, 'ok');
    await pass(1);
    expect(after.told()).toEqual(['one: a up, b up']);
  });

  it('with another clock count all the same, and that is told once, and when it is over', async () => {
    const { start, pass, clock } = cluster();
    const server = start();
    const ahead = (ms: number) => ({ timestamp: new Date(clock.now() + ms).toISOString() });
    for (const ms of [90_000, 90_000, 0]) {
      await server.say(a, 'ok', { ...ahead(ms), age_sec: 0 });
      await pass(1);
    }
    expect(server.told()).toEqual(['one: a up']);
    const told = server.log.lines.filter(({ message }) => message.includes('clock'));
    expect(told.map(({ level }) => level)).toEqual(['warn', 'info']);
  });
});

describe('an agent that reports to several servers', () => {
  it('is told of by one of them, and by the other once that one is gone', async () => {
    const { start, pass, kill } = cluster();
    const [one, other] = [start(), start()];
    const report = async (seconds: number) => {
      for (let n = 0; n < seconds; n += 1) {
        for (const server of [one, other]) await server.say(a, 'ok');
        await pass(1);
      }
    };
    await report(20);
    expect([one.told(), other.told()]).toEqual([['one: a up'], ['one: a up']]);
    const overtaken = ({ log }: typeof one) => log.lines.filter(({ message }) => message.includes('another server'));
    expect(overtaken(one).length + overtaken(other).length).toBe(1);
    const [silent, speaking] = overtaken(one).length === 1 ? [one, other] : [other, one];
    kill(speaking);
    for (let n = 0; n < 16; n += 1) {
      await silent.say(a, 'fail');
      await pass(1);
    }
    expect(silent.told()).toEqual(['one: a down']);
  });
});

describe('the desk', () => {
  it('refuses the name of a server, places that are none, and what it cannot judge yet', async () => {
    const { start } = cluster();
    const server = start();
    expect(await server.say(a, 'ok', { agent_id: 'server-1' })).toMatchObject({ code: 403, outcome: 'impostor' });
    expect(await server.say({ ...a, port: 80 }, 'ok')).toMatchObject({ code: 422, outcome: 'unknown-target' });
    const timestamp = '2031-01-01T00:00:00Z';
    expect(await server.say(a, 'ok', { timestamp })).toMatchObject({ code: 422, outcome: 'untimely' });
    server.set([], false);
    expect(await server.say(a, 'ok')).toMatchObject({ code: 503, outcome: 'not-ready' });
    expect(server.desk.agents()).toEqual([]);
  });

  it('refuses by name whoever is not among the agents that the service names', async () => {
    const server = cluster().start({ ...fields, agents: { freshSeconds: 12, ids: ['one', 'two'] } });
    const answer = await server.say(a, 'ok', { agent_id: 'three' });
    expect(answer).toMatchObject({
      code: 403,
      outcome: 'stranger',
      error: expect.stringContaining('"three"') as unknown,
    });
    expect(await server.say(a, 'ok', { agent_id: 'two' })).toEqual({ outcome: 'accepted' });
    expect(server.desk.agents().map(({ id }) => id)).toEqual(['two']);
  });

  it('takes no more services of an agent than it bears the targets of', async () => {
    const { start } = cluster();
    const server = start();
    const many = Array.from({ length: deskLimits.votesPerAgent + 1 }, (_, n) => ({ ...a, id: `${n}`, port: n + 1 }));
    server.set(many);
    expect(await server.say(many[0] as Target, 'ok')).toMatchObject({ code: 422, outcome: 'too-many' });
    server.set(many.slice(1));
    expect(await server.say(many[1] as Target, 'ok')).toEqual({ outcome: 'accepted' });
  });

  it('has places for a thousand agents, and those that it knows go on', async () => {
    const { start } = cluster();
    const server = start();
    const names = Array.from({ length: deskLimits.agents }, (_, n) => `agent-${n}`);
    await Promise.all(names.map((agent_id) => server.say(a, 'ok', { agent_id })));
    expect(await server.say(a, 'ok', { agent_id: 'one-more' })).toMatchObject({ code: 429, outcome: 'too-many' });
    expect(await server.say(b, 'ok', { agent_id: 'agent-7' })).toEqual({ outcome: 'accepted' });
  });
});
