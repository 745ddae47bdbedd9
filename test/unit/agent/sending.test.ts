import { describe, expect, it } from 'vitest';
import { type AgentServerStandIn, startAgentServer } from '../../fixtures/agent-server.ts';
import { startStandIn } from '../../fixtures/stand-in.ts';
import { until } from '../../fixtures/until.ts';
import { ends, reportOf, stage } from './sending-stage.ts';

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
    await until('that is known', () => settled['accepted'] === 3);
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
    await until('that is known', () => settled['accepted'] === 1);
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
