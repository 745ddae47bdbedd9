import { describe, expect, it } from 'vitest';
import { clockFinding } from '../../../src/doctor/clocks.ts';
import { examine } from '../../../src/doctor/examine.ts';
import { ok } from '../../../src/doctor/finding.ts';
import { backendFinding, levelFinding } from '../../../src/doctor/haproxy.ts';
import { descriptorFindings, nodeFinding, zoneFinding } from '../../../src/doctor/machine.ts';
import { remedyOf } from '../../../src/doctor/remedy.ts';
import { trialFinding } from '../../../src/doctor/table.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const header =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
const stateOf = (baseName: string, count: number) =>
  [
    '1',
    header,
    ...Array.from(
      { length: count },
      (_, n) => `3 web ${n + 1} ${baseName}${n + 1} 127.0.0.1 2 0 1 1 5 1 0 2 0 0 0 0 - 80 - 0 0 - - 0`,
    ),
  ].join('\n');
const expecting = (size: number, grow = false) => ({
  service: { name: 'shop', size },
  haproxy: { backends: [], grow },
  backend: { name: 'web', baseName: 'web' },
});
const backend = (size: number, state: string, names = ['web'], grow = false) =>
  backendFinding('HAProxy', expecting(size, grow), { names, state });

describe('what the doctor says of a backend', () => {
  it('is content with as many slots as the list has', () => {
    expect(backend(3, stateOf('web', 3))).toEqual(ok('HAProxy, backend web', '3 slots, as the list of shop has'));
  });

  it('names the nearest backend where there is none of that name', () => {
    const found = backend(3, '', ['wob', 'stats']);
    expect(found).toMatchObject({ state: 'fault' });
    expect(found.says).toBe('HAProxy has no such backend (it has wob, stats); did you mean wob?');
    expect(found.remedy).toContain('server-template web 1-3');
  });

  it('tells a wrong base name from missing slots', () => {
    const found = backend(3, stateOf('app', 3));
    expect(found).toMatchObject({ state: 'fault' });
    expect(found.says).toContain('its servers are app1, app2, app3');
    expect(found.remedy).toContain('or set the base name to "app"');
  });

  it('takes too few slots for a fault, unless hsdo may add them, and too many for a warning', () => {
    expect(backend(5, stateOf('web', 3))).toMatchObject({ state: 'fault' });
    expect(backend(5, stateOf('web', 3), ['web'], true)).toMatchObject({ state: 'ok' });
    expect(backend(2, stateOf('web', 3))).toMatchObject({ state: 'warning' });
  });

  it('wants the level admin', () => {
    expect(levelFinding('HAProxy', 'admin\n')).toMatchObject({ state: 'ok' });
    expect(levelFinding('HAProxy', 'operator\n')).toMatchObject({
      state: 'fault',
      remedy: expect.stringContaining('level admin'),
    });
  });
});

describe('what the doctor says of the machine', () => {
  it.each([
    ['18.20.0', 'fault'],
    ['20.18.9', 'fault'],
    ['20.19.0', 'warning'],
    ['22.1.0', 'ok'],
    ['24.0.0', 'ok'],
  ])('judges Node.js %s as %s', (version, state) => {
    expect(nodeFinding(version)).toMatchObject({ state });
  });

  it.each([
    ['Max open files            1024                 524288               files', 'ok'],
    ['Max open files            500                  524288               files', 'warning'],
    ['Max open files            unlimited            unlimited            files', 'ok'],
  ])('takes the soft limit of "%s" for %s', (line, state) => {
    expect(descriptorFindings(`Limit\n${line}\n`, 256)).toMatchObject([{ state }]);
  });

  it('says nothing of descriptors where the system tells nothing', () => {
    expect(descriptorFindings(undefined, 256)).toEqual([]);
  });

  it('names a time zone that Node.js does not know', () => {
    expect(zoneFinding(['Europe/Berlin'])).toMatchObject({ state: 'ok' });
    expect(zoneFinding(['Europe/Berlin', 'Mars/Base'])).toMatchObject({
      state: 'fault',
      says: expect.stringContaining('Mars/Base'),
    });
  });

  it.each([
    [3000, 'ok'],
    [-60_000, 'warning'],
    [301_000, 'fault'],
  ])('takes a clock that is off by %i ms for %s', (aheadMs, state) => {
    expect(clockFinding('clock', aheadMs)).toMatchObject({ state });
  });
});

describe('what the doctor says of rights', () => {
  const named = (name: string, message = name) => Object.assign(new Error(message), { name });
  it('takes a condition that did not hold for the right to write', () => {
    expect(trialFinding('table x', 'dynamodb:PutItem', named('ConditionalCheckFailedException'))).toBeUndefined();
    expect(
      trialFinding('table x', 'dynamodb:ConditionCheckItem', named('TransactionCanceledException')),
    ).toBeUndefined();
  });

  it('names the missing right, and the policy to put it in', () => {
    const found = trialFinding('table x', 'dynamodb:PutItem', named('AccessDeniedException', 'not authorized'));
    expect(found).toEqual({
      state: 'fault',
      about: 'table x',
      says: 'the right to dynamodb:PutItem is missing',
      remedy: 'allow dynamodb:PutItem in the policy of this role or user (terraform/iam.tf has all that hsdo needs)',
    });
  });

  it.each([
    ['AWS refuses ec2:DescribeInstances: the role or user needs this permission', 'allow ec2:DescribeInstances'],
    ['"http://x" failed: getaddrinfo ENOTFOUND x', 'not known in DNS'],
    ['etcd at "http://127.0.0.1:1": connect ECONNREFUSED 127.0.0.1:1', 'nothing listens there'],
    ['HAProxy did not answer in 2000 ms', 'firewalls'],
    ['self-signed certificate in chain', 'tls.ca'],
    ['something else', 'as it was'],
  ])('knows what helps against "%s"', (said, remedy) => {
    expect(remedyOf(said, 'as it was')).toContain(remedy);
  });
});

describe('an examination', () => {
  it('makes a fault of every failure and of silence, and waits for none longer than five seconds', async () => {
    const clock = createFakeClock();
    const signal = new AbortController().signal;
    const all = [
      { about: 'one', remedy: 'mend it', look: () => Promise.reject(new Error('broken')) },
      { about: 'two', remedy: 'wake it', look: () => new Promise<never>(() => {}) },
      { about: 'three', remedy: '', look: async () => [ok('three', 'fine')] },
    ];
    const done: number[] = [];
    const found = examine(all, { clock, signal, onLooked: (n) => done.push(n) });
    await clock.advance(5000);
    expect(await found).toEqual([
      { state: 'fault', about: 'one', says: 'broken', remedy: 'mend it' },
      { state: 'fault', about: 'two', says: 'two did not answer in 5000 ms', remedy: 'wake it' },
      ok('three', 'fine'),
    ]);
    expect(done).toEqual([1, 2, 3]);
  });
});
