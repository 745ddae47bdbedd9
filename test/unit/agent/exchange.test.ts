import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createClockOffset } from '../../../src/agent/clock-offset.ts';
import { type Answer as Answered, createExchange, showAnswer } from '../../../src/agent/exchange.ts';
import { reportOf } from '../../../src/agent/reports.ts';
import { reportSchema } from '../../../src/agent/wire.ts';
import { failed, passed, unasked } from '../../../src/model/probe.ts';
import { secret } from '../../../src/model/secret.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { type Answer, startStandIn } from '../../fixtures/stand-in.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function exchangeWith(answer: Answer, base = '') {
  const standIn = await startStandIn(answer);
  ends.push(standIn.stop);
  const server = { name: 'one', url: `${standIn.url}${base}`, token: secret('the-token'), tags: [] };
  const { ask } = createExchange(server, systemClock);
  return { standIn, ask: (json?: string) => ask('/api/v1/tasks?tags=a', json, new AbortController().signal) };
}

describe('what an agent asks of a server', () => {
  it('goes below the path of its URL, with the token', async () => {
    const { ask, standIn } = await exchangeWith((_, response) => void response.end('{"tasks":[]}'), '/under/this/');
    expect(await ask()).toMatchObject({ status: 200, body: { tasks: [] } });
    expect(standIn.requests[0]).toMatchObject({ method: 'GET', url: '/under/this/api/v1/tasks?tags=a' });
    expect(standIn.requests[0]?.headers['x-api-key']).toBe('the-token');
  });

  it('is never taken elsewhere by a redirect', async () => {
    const { ask, standIn } = await exchangeWith((_, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect((await ask()).status).toBe(302);
    expect(standIn.requests).toHaveLength(1);
  });

  it.each([
    ['is too long', (response: Parameters<Answer>[1]) => response.end('x'.repeat(5_000_001))],
    [
      'is small until it is unpacked',
      (response: Parameters<Answer>[1]) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    ],
  ])('has no answer when that %s', async (_, send) => {
    const { ask } = await exchangeWith((__, response) => void send(response));
    await expect(ask()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^Cannot ask server "one" at .*: the answer is longer than 5000000 bytes$/),
    });
  });

  it('has no answer when the connection ends within it', async () => {
    const { ask } = await exchangeWith((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      response.destroy();
    });
    await expect(ask('{}')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is told for people without the token, on one line', () => {
    const shown = (body: unknown) => showAnswer({ status: 403, body }, { token: secret('the-token') });
    expect(shown({ detail: 'no service has the-token\n\u001b[2J' })).toBe('403: no service has ***??[2J');
    expect(shown({ detail: [{ msg: 'Field required' }] })).toBe('403: Field required');
    expect(shown(undefined)).toBe('403');
    expect(shown({ detail: 'x'.repeat(5000) }).length).toBeLessThan(100);
  });
});

describe('the clocks of an agent and a server', () => {
  const answer = (askedAt: number, tookMs: number): Answered => {
    const times = { askedAt, answeredAt: askedAt + tookMs, dateAt: undefined, retryAfterMs: undefined };
    return { status: 200, body: {}, ...times };
  };

  it('are told once when they are more than 5 s apart, and once when they agree again', () => {
    const log = recordingLog();
    const offsets: number[] = [];
    const offset = createClockOffset({ server: 'one', log }, (seconds) => offsets.push(seconds));
    const now = 1_700_000_000_000;
    for (const ahead of [0, 4000, 60_000, 60_500, -7000, 100, 200]) offset.note(answer(now, 20), now + 10 - ahead);
    expect(offsets).toEqual([0, 4, 60, 60.5, -7, 0.1, 0.2]);
    expect(log.lines.map(({ level, fields }) => [level, fields['seconds']])).toEqual([
      ['warn', 60],
      ['info', 0.1],
    ]);
  });

  it('are not called different because an answer took long, nor where the server does not say its time', () => {
    const log = recordingLog();
    const offset = createClockOffset({ server: 'one', log }, () => {});
    offset.note(answer(1_700_000_000_000, 16_000), 1_700_000_000_100);
    offset.note(answer(1_700_000_000_000, 10));
    expect(log.lines).toEqual([]);
  });
});

describe('a probe as a report', () => {
  const task = {
    check_name: 'web:::1:icmp',
    domain: 'web',
    target_ip: '::1',
    type: 'icmp',
    timeout_sec: 1,
    interval_sec: 1,
  };
  const at = Date.UTC(2026, 2, 1, 10);

  it('has every field of PyFailoverDNS, those that are not known as null', () => {
    expect(reportOf('a', task, failed('timeout', 'No answer'), at)).toEqual({
      agent_id: 'a',
      timestamp: '2026-03-01T10:00:00.000+00:00',
      check_name: 'web:::1:icmp',
      domain: 'web',
      type: 'icmp',
      target_ip: '::1',
      port: null,
      status: 'fail',
      latency_ms: null,
      reason: 'No answer',
      code: 'timeout',
    });
  });

  it('tells times, role and timeline, in the shape that a server takes', () => {
    const facts = { connectMs: 1.5, totalMs: 2.5, role: 'primary', timeline: 7 } as const;
    const report = reportOf('a', { ...task, port: 5432 }, passed('It is the primary', facts), at);
    expect(report).toMatchObject({ status: 'ok', latency_ms: 2.5, connect_ms: 1.5, role: 'primary', timeline: 7 });
    expect(reportSchema.parse(report)).toEqual(report);
  });

  it('is none where the question could not be asked', () => {
    expect(reportOf('a', task, unasked('error', 'No ping here'), at)).toBeUndefined();
  });
});
