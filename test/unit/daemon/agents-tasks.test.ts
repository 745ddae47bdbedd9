import { describe, expect, it } from 'vitest';
import { reportSchema, taskSchema } from '../../../src/agent/wire.ts';
import { checkSchema } from '../../../src/check/health-checks.ts';
import { probeOfReport } from '../../../src/daemon/agents/agents-probe.ts';
import { taskOf } from '../../../src/daemon/agents/agents-tasks.ts';
import type { Target } from '../../../src/model/target.ts';
import { reportAt, rosterOf, targetsNamed } from '../../fixtures/agent-desk.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const [a, b] = targetsNamed('ab') as [Target, Target];
const taskFor = (check: object, target: Target, fields: object = {}) =>
  taskOf(rosterOf(createFakeClock(), { check, ...fields }).roster.checked, target);

describe('a task', () => {
  it.each([
    [{ kind: 'tcp', expect: 'PONG' }],
    [{ kind: 'http', scheme: 'https', expectedCodes: '200,3XX', serverName: 'x.example.org' }],
    [{ kind: 'icmp' }],
    [{ kind: 'exec', check: './check.sh', args: ['-v'] }],
    [{ kind: 'postgres', user: 'checker', tls: { serverName: 'db' } }],
    [{ kind: 'redis-sentinel', masterName: 'm', sentinels: [{ host: 'localhost' }] }],
    [{ kind: 'none' }],
  ])('carries the whole check %j, so that an agent makes the same one of it', (check) => {
    const task = taskSchema.parse(JSON.parse(JSON.stringify(taskFor(check, a, { domain: 'web.example.org' }))));
    expect(task).toMatchObject({ target_ip: '10.0.0.1', port: 443, type: check.kind });
    expect(checkSchema.parse(task.check)).toEqual(checkSchema.parse(check));
  });

  it('has the times of the agents where they differ from the check', () => {
    const agents = { intervalSeconds: 30, timeoutSeconds: 7 };
    const task = taskFor({ kind: 'tcp', intervalSeconds: 2 }, a, { agents });
    expect(task).toMatchObject({ interval_sec: 30, timeout_sec: 7, check: agents });
    expect(taskFor({ kind: 'tcp', intervalSeconds: 2 }, a)).toMatchObject({ interval_sec: 2, timeout_sec: 1 });
  });

  it('has of what the check says of single targets only what is about its own, by the address', () => {
    const check = { kind: 'http', targets: { a: { path: '/a' }, '10.0.0.2': { port: 81 }, c: { path: '/c' } } };
    expect(taskFor(check, a).check?.['targets']).toEqual({ '10.0.0.1': { path: '/a' } });
    expect(taskFor(check, b).check?.['targets']).toEqual({ '10.0.0.2': { port: 81 } });
  });

  it('says as Host what a server would say', () => {
    expect(taskFor({ kind: 'http' }, a).check?.['forwardDomain']).toBe(false);
    expect(taskFor({ kind: 'http' }, a, { domain: 'web.example.org' }).check?.['forwardDomain']).toBe(true);
  });

  it('names a port wherever there is one, for agents that know nothing but ports', () => {
    const { port: _, ...bare } = a;
    const portOf = (check: object, target: Target = bare) => taskFor(check, target).port;
    expect([portOf({ kind: 'tcp', port: 25 }), portOf({ kind: 'http', scheme: 'https' })]).toEqual([25, 443]);
    expect([portOf({ kind: 'postgres', user: 'u' }), portOf({ kind: 'icmp' })]).toEqual([5432, null]);
    expect(portOf({ kind: 'tcp', port: 25 }, a)).toBe(443);
    expect(taskFor({ kind: 'icmp' }, bare).check_name).toBe('web:10.0.0.1:icmp');
  });
});

describe('the targets of a service, for agents', () => {
  it('are not known until the sources were read, but one that is away does not keep the others unchecked for ever', async () => {
    const clock = createFakeClock();
    const { roster, set } = rosterOf(clock);
    set([a], false);
    expect([roster.tasks(), roster.isComplete(), roster.find('10.0.0.1', 443)]).toEqual([undefined, false, a]);
    await clock.advance(30_000);
    expect(roster.tasks()).toHaveLength(1);
    set([a, b]);
    expect([roster.tasks()?.length, roster.isComplete(), roster.find('10.0.0.2', 80)]).toEqual([2, true, undefined]);
  });
});

describe('a report as a probe', () => {
  const clock = createFakeClock();
  const { roster } = rosterOf(clock);
  const probe = (status: 'ok' | 'fail', fields: object, kind = 'tcp') =>
    probeOfReport(reportSchema.parse({ ...reportAt(clock, roster, a, status), ...fields }), kind);

  it.each([
    [null, 'error'],
    ['timed out', 'timeout'],
    ['[Errno 111] Connection refused', 'refused'],
    ['[Errno 113] No route to host', 'unreachable'],
    ['[Errno 104] Connection reset by peer', 'reset'],
    ['[Errno -2] Name or service not known', 'dns'],
  ])('makes a code of the words %j', (reason, code) => {
    expect(probe('fail', { reason, latency_ms: null })).toMatchObject({ result: 'down', code });
  });

  it('believes the code of an agent that has one, unless it denies the status', () => {
    expect(probe('fail', { code: 'status', reason: '503' })).toMatchObject({ result: 'down', code: 'status' });
    expect(probe('fail', { code: 'ok' })).toMatchObject({ result: 'down', code: 'error' });
    expect(probe('ok', { code: 'timeout', latency_ms: 7 })).toMatchObject({ result: 'up', code: 'ok', totalMs: 7 });
  });

  it('has a role only where the check tells one', () => {
    const said = { role: 'primary', timeline: 99 };
    expect(probe('ok', said)).not.toHaveProperty('timeline');
    expect(probe('ok', said, 'postgres')).toMatchObject(said);
  });
});
