import { afterEach, describe, expect, it } from 'vitest';
import { createClockOffset } from '../../../src/agent/clock-offset.ts';
import { createExchange } from '../../../src/agent/exchange.ts';
import { createSending, type Sending, type SendingParts } from '../../../src/agent/sending.ts';
import type { AgentReport } from '../../../src/agent/wire.ts';
import { secret } from '../../../src/model/secret.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { type AgentServerStandIn, startAgentServer } from '../../fixtures/agent-server.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { startStandIn } from '../../fixtures/stand-in.ts';
import { until } from '../../fixtures/until.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Stage {
  readonly server: AgentServerStandIn;
  readonly sending: Sending;
  readonly log: ReturnType<typeof recordingLog>;
  /** Reports by what became of them. */
  readonly settled: Record<string, number>;
  readonly unsent: () => number;
  stop(): Promise<void>;
}

async function stage(
  server: AgentServerStandIn,
  settings: Partial<Pick<SendingParts, 'batchSeconds' | 'maxUnsent'>> = {},
): Promise<Stage> {
  const log = recordingLog();
  const settled: Record<string, number> = {};
  const name = 'one';
  const place = { name, url: server.url, token: secret('the-token'), tags: [] };
  let unsent = 0;
  const sending = createSending({
    server: place,
    exchange: createExchange(place, systemClock),
    offset: createClockOffset({ server: name, log }, () => {}),
    clock: systemClock,
    log,
    batchSeconds: 0,
    maxUnsent: 1000,
    random: () => 0,
    onSettled(outcome, count) {
      settled[outcome] = (settled[outcome] ?? 0) + count;
    },
    onUnsent(count) {
      unsent = count;
    },
    ...settings,
  });
  const stopping = new AbortController();
  const running = sending.run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error('the test ends'));
    await running;
  };
  ends.push(stop, server.close);
  return { server, sending, log, settled, unsent: () => unsent, stop };
}

function reportOf(checkName: string, latencyMs = 1): AgentReport {
  return {
    agent_id: 'a',
    timestamp: '2026-01-01T00:00:00.000+00:00',
    check_name: checkName,
    domain: 'web',
    type: 'tcp',
    target_ip: '10.0.0.1',
    port: 80,
    status: 'ok',
    latency_ms: latencyMs,
    reason: null,
  };
}

const posts = ({ asked }: AgentServerStandIn) => asked.map(({ body }) => JSON.parse(body) as unknown);
const latencies = ({ taken }: AgentServerStandIn) => taken.map(({ latency_ms: latency }) => latency);

describe('the reports of an agent', () => {
  it('go together as a list, with the token and their age by a clock that never jumps', async () => {
    const { server, sending } = await stage(await startAgentServer({ takesLists: true }), { batchSeconds: 0.05 });
    for (const name of ['a', 'b', 'a']) sending.add(reportOf(name));
    await until('they are taken', () => server.taken.length === 3);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]).toMatchObject({ method: 'POST', path: '/api/v1/report', token: 'the-token' });
    expect(server.taken.map(({ check_name: name }) => name)).toEqual(['a', 'b', 'a']);
    for (const { age_sec: age } of server.taken) expect(age).toBeGreaterThanOrEqual(0.04);
  });

  it('go one by one, the newest of each check alone, to a server that takes no lists, as PyFailoverDNS’s master', async () => {
    const { server, sending, settled, log } = await stage(await startAgentServer(), { batchSeconds: 0.05 });
    for (const latency of [1, 2, 3]) sending.add(reportOf('a', latency));
    sending.add(reportOf('b', 4));
    await until('they are taken', () => server.taken.length === 2);
    expect(new Set(latencies(server))).toEqual(new Set([3, 4]));
    sending.add(reportOf('b', 5));
    await until('the next is taken', () => server.taken.length === 3);
    expect(posts(server).filter(Array.isArray)).toHaveLength(1);
    expect(settled).toEqual({ accepted: 3, dropped: 2 });
    expect(log.lines.filter(({ level }) => level === 'info')).toHaveLength(1);
  });

  it('wait while nobody answers, keep their order, and arrive when the server is back', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    await standIn.close();
    const { server, sending, log, unsent, settled } = await stage(standIn);
    for (const latency of [1, 2, 3]) sending.add(reportOf('a', latency));
    await until('it was tried', () => log.lines.length === 1);
    expect(log.lines[0]).toMatchObject({ level: 'warn', message: 'reporting to a server fails' });
    expect(String(log.lines[0]?.fields['reason'])).toMatch(/^Cannot ask server "one" at http:.*ECONNREFUSED/);
    sending.add(reportOf('a', 4));
    expect(unsent()).toBe(4);
    await server.open();
    await until('they are taken', () => server.taken.length === 4);
    await until('that is told', () => log.lines.length === 2);
    expect(latencies(server)).toEqual([1, 2, 3, 4]);
    expect(unsent()).toBe(0);
    expect(settled).toEqual({ accepted: 4 });
  });

  it.each([500, 503, 429, 302, 401])('are kept over an answer %i and sent again', async (status) => {
    const standIn = await startAgentServer({ takesLists: true });
    let left = 2;
    standIn.answer = () => {
      left -= 1;
      return left < 0
        ? undefined
        : { status, body: { detail: 'not now' }, headers: { location: 'http://127.0.0.1:9/' } };
    };
    const { server, sending, settled } = await stage(standIn);
    sending.add(reportOf('a'));
    await until('it is taken', () => server.taken.length === 1);
    expect(server.asked).toHaveLength(3);
    expect(settled).toEqual({ accepted: 1 });
  });

  it('are kept over an answer that is no receipt, such as the page of a captive network', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = () => ({ status: 200, body: '<html>please log in</html>' });
    const { server, sending, log } = await stage(standIn);
    sending.add(reportOf('a'));
    await until('that is told', () => log.lines.length === 1);
    expect(log.lines[0]?.fields['reason']).toBe('it answered 200, but not as a server for agents does');
    server.answer = undefined;
    await until('it is taken', () => server.taken.length === 1);
  });

  it('wait for as long as a server asks for that', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    const at: number[] = [];
    standIn.answer = () => {
      at.push(performance.now());
      return at.length > 1 ? undefined : { status: 429, body: {}, headers: { 'retry-after': '1' } };
    };
    const { server, sending } = await stage(standIn);
    sending.add(reportOf('a'));
    await until('it is taken', () => server.taken.length === 1);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(900);
  });
});

describe('reports that a server refuses', () => {
  it('are told once for each reason, without the token, counted, and not sent again', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = ({ body }) => {
      const refused = (JSON.parse(body) as AgentReport[]).flatMap(({ check_name: name }, index) =>
        name === 'good' ? [] : [{ index, code: 404, error: `no domain for the-token and ${name}` }],
      );
      return { status: 200, body: { status: 'ok', accepted: 1, refused } };
    };
    const { sending, settled, log, unsent } = await stage(standIn, { batchSeconds: 0.05 });
    for (const name of ['bad', 'good', 'bad', 'worse']) sending.add(reportOf(name));
    await until('they are settled', () => unsent() === 0 && settled['refused'] === 3);
    expect(settled).toEqual({ accepted: 1, refused: 3 });
    expect(log.lines.map(({ fields }) => [fields['check'], fields['reason']])).toEqual([
      ['bad', '404: no domain for *** and bad'],
      ['worse', '404: no domain for *** and worse'],
    ]);
    expect(standIn.asked).toHaveLength(1);
  });

  it.each([403, 404, 400])('are all of them gone after an answer %i to the list', async (status) => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = () => ({ status, body: { detail: 'go away' } });
    const { sending, settled, log } = await stage(standIn, { batchSeconds: 0.05 });
    for (const name of ['a', 'b']) sending.add(reportOf(name));
    await until('they are refused', () => settled['refused'] === 2);
    expect(log.lines).toHaveLength(1);
  });

  it('are told of at most a hundred reasons, then of there being more', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = ({ body }) => {
      const refused = (JSON.parse(body) as unknown[]).map((_, index) => ({
        index,
        code: 422,
        error: `reason ${index}`,
      }));
      return { status: 200, body: { status: 'ok', accepted: 0, refused } };
    };
    const { sending, settled, log } = await stage(standIn, { batchSeconds: 0.05 });
    for (let n = 0; n < 150; n += 1) sending.add(reportOf(`check ${n}`));
    await until('they are refused', () => settled['refused'] === 150);
    expect(log.lines).toHaveLength(101);
    expect(log.lines.at(-1)?.message).toBe('a server refuses reports for further reasons, which are not told');
  });

  it('are sent in ever shorter lists while those are too long for it', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = ({ body }) =>
      (JSON.parse(body) as unknown[]).length > 3 ? { status: 413, body: { detail: 'too long' } } : undefined;
    const { server, sending, settled } = await stage(standIn, { batchSeconds: 0.05 });
    for (let n = 0; n < 10; n += 1) sending.add(reportOf('a', n));
    await until('they are taken', () => server.taken.length === 10);
    expect(latencies(server)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(settled).toEqual({ accepted: 10 });
  });
});

describe('an agent that ends', () => {
  it('tries once more what is unsent', async () => {
    const { server, sending, stop } = await stage(await startAgentServer({ takesLists: true }), { batchSeconds: 3600 });
    sending.add(reportOf('a'));
    await stop();
    expect(server.taken).toHaveLength(1);
  });

  it('does not wait longer than 2 s for a server that does not answer', async () => {
    const silent = await startStandIn(() => {});
    ends.push(silent.stop);
    const { sending, stop, unsent } = await stage({ ...(await startAgentServer()), url: silent.url });
    sending.add(reportOf('a'));
    await until('it is asked', () => silent.requests.length === 1);
    const startedAt = performance.now();
    await stop();
    expect(performance.now() - startedAt).toBeLessThan(4500);
    expect(unsent()).toBe(1);
  });
});
