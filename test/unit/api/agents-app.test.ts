import { describe, expect, it } from 'vitest';
import type { AgentReport, Receipt, Task } from '../../../src/agent/wire.ts';
import { createAgentsApp } from '../../../src/api/agents-app.ts';
import type { AgentService, AgentsView, Taken } from '../../../src/api/agents-view.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { secret } from '../../../src/model/secret.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const service = (name: string, token?: string, tags: readonly string[] = []): AgentService => ({
  name,
  domain: `${name}.failover`,
  tags,
  ...(token === undefined ? {} : { token: secret(token) }),
});
const taskOf = ({ domain }: AgentService): Task => ({
  check_name: `${domain}:10.0.0.1:443`,
  domain,
  target_ip: '10.0.0.1',
  port: 443,
  type: 'tcp',
  timeout_sec: 5,
  interval_sec: 30,
});
const reportOn = (domain: string, fields: object = {}) => ({
  ...taskOf({ name: '', domain, tags: [] }),
  agent_id: 'one',
  timestamp: '2026-11-21T12:00:00.123456',
  status: 'ok',
  latency_ms: null,
  reason: null,
  ...fields,
});

/** The API over a view that takes every report, or says what it is told to say. */
function stage(services: readonly AgentService[], says: Partial<AgentsView> = {}, requestsPerSecond = 50) {
  const taken: AgentReport[] = [];
  const view: AgentsView = {
    services,
    tasks: (one) => [taskOf(one)],
    async take(_, report): Promise<Taken> {
      taken.push(report);
      return { outcome: 'accepted' };
    },
    status: async ({ domain }) =>
      ({ domain, live_ips: [], using_fallback: false, fallback_ips: [], agents: [], last_updated: null }) as const,
    detail: async ({ domain }) => ({ domain, check_type: 'tcp', live: true, fallback_ips: [], ip_checks: {} }),
    ...says,
  };
  const [clock, metrics] = [createFakeClock(), createMetrics()];
  const bugs: unknown[] = [];
  const onBug = (error: unknown) => void bugs.push(error);
  const app = createAgentsApp({ view, maxBodyBytes: 20_000, requestsPerSecond, metrics, clock, onBug });
  return {
    bugs,
    taken,
    clock,
    metrics,
    async get(path: string, key?: string, host = '127.0.0.1:8000') {
      const headers = { host, ...(key === undefined ? {} : { 'X-API-Key': key }) };
      const response = await app.request(`/api/v1/${path}`, { headers });
      return { code: response.status, body: (await response.json()) as unknown, headers: response.headers };
    },
    async post(body: unknown, key?: string, type = 'application/json') {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const headers = { host: 'localhost', 'content-type': type, 'content-length': String(text.length) };
      const init = { method: 'POST', headers: { ...headers, ...(key === undefined ? {} : { 'X-API-Key': key }) } };
      const response = await app.request('/api/v1/report', { ...init, body: text });
      return { code: response.status, body: (await response.json()) as Receipt & { detail?: string } };
    },
  };
}
const locked = [service('web', 'token-of-web', ['north']), service('mail', 'token-of-mail')];

describe('tasks', () => {
  it('are those of the services that the token opens and whose tags meet, or that have none', async () => {
    const { get } = stage([...locked, service('shop', 'token-of-web', ['south', 'east'])]);
    const domains = async (tags: string) => {
      const { body } = await get(`tasks?tags=${tags}`, 'token-of-web');
      return (body as { tasks: Task[] }).tasks.map(({ domain }) => domain);
    };
    expect(await domains('north,west')).toEqual(['web.failover']);
    expect(await domains('east,north')).toEqual(['web.failover', 'shop.failover']);
    expect(await domains('')).toEqual([]);
    expect((await get('tasks', 'token-of-mail')).body).toEqual({ tasks: [taskOf(locked[1] as AgentService)] });
  });

  it('are not "none" while the targets are not known yet', async () => {
    const { code, headers } = await stage(locked, { tasks: () => undefined }).get('tasks', 'token-of-mail');
    expect([code, headers.get('retry-after')]).toEqual([503, '1']);
  });
});

describe('a key', () => {
  it.each([
    ['that is missing', undefined, /expected a token in the header X-API-Key/],
    ['of no service', 'token-of-nobody', /not the one of any service/],
  ])('%s is refused everywhere with 403', async (_, key, words) => {
    const { get, post, taken } = stage(locked);
    for (const path of ['tasks', 'status', 'status/web.failover', 'elsewhere']) {
      const { code, body } = await get(path, key);
      expect([code, body]).toEqual([403, { detail: expect.stringMatching(words) }]);
    }
    expect((await post(reportOn('web.failover'), key)).code).toBe(403);
    expect(taken).toEqual([]);
  });

  it('shows its own services only', async () => {
    const { get } = stage(locked);
    expect((await get('status', 'token-of-web')).body).toEqual({
      status: [expect.objectContaining({ domain: 'web.failover' })],
    });
    expect((await get('status/WEB.failover.', 'token-of-web')).code).toBe(200);
    expect((await get('status/mail.failover', 'token-of-web')).code).toBe(404);
  });

  it('is not needed where no service has a token, but for a loopback name as Host and JSON as Content-Type', async () => {
    const { get, post } = stage([service('web')]);
    expect((await get('tasks')).code).toBe(200);
    expect((await get('tasks', 'anything')).code).toBe(200);
    expect((await get('tasks', undefined, 'evil.example.org')).code).toBe(403);
    expect((await post(reportOn('web.failover'))).code).toBe(200);
    expect((await post(reportOn('web.failover'), undefined, 'text/plain')).code).toBe(415);
  });
});

describe('a report', () => {
  it('of PyFailoverDNS is taken one by one, and one of ours in lists', async () => {
    const { post, taken, clock } = stage(locked);
    const { code, body } = await post(reportOn('web.failover'), 'token-of-web');
    expect([code, body]).toEqual([200, { status: 'ok', accepted: 1, refused: [], server_time: clock.now() / 1000 }]);
    const list = [reportOn('web.failover', { age_sec: 2 }), reportOn('mail.failover'), { nonsense: true }];
    const mixed = await post(list, 'token-of-web');
    expect([mixed.code, mixed.body.accepted]).toEqual([200, 1]);
    expect(mixed.body.refused?.map(({ index, code: why }) => [index, why])).toEqual([
      [1, 403],
      [2, 422],
    ]);
    expect(taken.map(({ age_sec }) => age_sec)).toEqual([undefined, 2]);
  });

  it.each([
    ['on an unknown domain', reportOn('nobody.failover'), 404, /no service is known by "nobody.failover"/],
    ['on the domain of another token', reportOn('mail.failover'), 403, /token is not the one of "mail.failover"/],
    ['without an agent', reportOn('web.failover', { agent_id: undefined }), 422, /agent_id/],
    ['with a status of its own', reportOn('web.failover', { status: 'maybe' }), 422, /status/],
    ['with a text as port', reportOn('web.failover', { port: '443' }), 422, /port/],
    ['with a name as address', reportOn('web.failover', { target_ip: 'localhost' }), 422, /target_ip/],
    ['with a timestamp that is none', reportOn('web.failover', { timestamp: 'yesterday' }), 422, /timestamp/],
    ['that names another check', reportOn('web.failover', { port: 80 }), 422, /expected "web.failover:10.0.0.1:80"/],
    ['that is a word', '"ok"', 422, /report: /],
    ['that is no JSON', '{', 422, /as JSON/],
    ['that is an empty body', '', 422, /as JSON/],
  ])('%s is refused and says why', async (_, body, code, words) => {
    const { post, taken } = stage(locked);
    const answer = await post(body, 'token-of-web');
    expect([answer.code, answer.body.detail]).toEqual([code, expect.stringMatching(words)]);
    expect(taken).toEqual([]);
  });

  it('has a body of bounded size and comes in lists of at most a thousand', async () => {
    const { post, taken } = stage(locked);
    expect((await post(`["${'x'.repeat(30_000)}"]`, 'token-of-web')).code).toBe(413);
    expect(
      (
        await post(
          Array.from({ length: 1001 }, () => 1),
          'token-of-web',
        )
      ).code,
    ).toBe(422);
    expect((await post([1, 2], 'token-of-web')).body).toMatchObject({ accepted: 0, refused: [{ code: 422 }, {}] });
    expect((await post([], 'token-of-web')).body).toMatchObject({ status: 'ok', accepted: 0 });
    expect(taken).toEqual([]);
  });

  it('is to be sent again while the store is away, and a bug is noted here and not told there', async () => {
    const failing = (error: Error) => stage(locked, { take: () => Promise.reject(error) });
    const away = failing(new HsdoError('unavailable', 'the store is away'));
    expect(await away.post(reportOn('web.failover'), 'token-of-web')).toMatchObject({
      code: 503,
      body: { detail: 'the store is away' },
    });
    const broken = failing(new TypeError('x is not a function'));
    expect(await broken.post(reportOn('web.failover'), 'token-of-web')).toMatchObject({
      code: 500,
      body: { detail: 'a fault of hsdo itself; its log tells more' },
    });
    expect([away.bugs.length, broken.bugs.length]).toEqual([0, 1]);
  });

  it('is counted by what became of it, and requests by the code of their answer', async () => {
    const refusal = { outcome: 'untimely', code: 422, error: 'too old' } as const;
    const { post, get, metrics } = stage(locked, { take: async () => refusal });
    await post(reportOn('web.failover'), 'token-of-web');
    await get('status/web.failover', 'token-of-web');
    await get('../../etc/passwd', 'wrong');
    const text = await metrics.registry.metrics();
    for (const line of [
      'reports_total{outcome="untimely"} 1',
      'requests_total{path="/api/v1/report",code="422"} 1',
      'requests_total{path="/api/v1/status/{domain}",code="200"} 1',
      'requests_total{path="other",code="403"} 1',
    ]) {
      expect(text).toContain(`hsdo_agent_api_${line}`);
    }
  });
});

describe('a flood', () => {
  it('is refused with 429 and the time to wait, and lets the next one in after it', async () => {
    const { get, clock } = stage(locked, {}, 2);
    for (let n = 0; n < 8; n += 1) expect((await get('tasks', 'token-of-web')).code).toBe(200);
    const { code, headers } = await get('tasks', 'token-of-web');
    expect([code, headers.get('retry-after')]).toEqual([429, '1']);
    await clock.advance(500);
    expect((await get('tasks', 'token-of-web')).code).toBe(200);
    expect((await get('tasks', 'token-of-web')).code).toBe(429);
  });
});
