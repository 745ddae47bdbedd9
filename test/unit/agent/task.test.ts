import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AcceptedTask, parseTask } from '../../../src/agent/task.ts';

const plain = {
  check_name: 'web.failover:10.0.0.1:443',
  domain: 'web.failover',
  target_ip: '10.0.0.1',
  port: 443,
  type: 'tcp',
  timeout_sec: 5,
  interval_sec: 30,
};

function accepted(task: unknown, allowExec = false): AcceptedTask {
  const parsed = parseTask(task, { allowExec });
  if ('refusal' in parsed) throw new Error(parsed.refusal.reason);
  return parsed;
}

function refused(task: unknown): string {
  const parsed = parseTask(task, { allowExec: false });
  return 'refusal' in parsed ? `${parsed.refusal.name}: ${parsed.refusal.reason}` : 'it was accepted';
}

describe('a task', () => {
  it('of PyFailoverDNS is a connection to the port, at its interval and within its time', () => {
    const { check, target } = accepted(plain);
    expect(check).toMatchObject({ kind: 'tcp', intervalSeconds: 30, timeoutSeconds: 5 });
    expect(target).toMatchObject({ id: plain.check_name, address: '10.0.0.1', port: 443 });
  });

  it.each(['http', 'icmp', 'TCP'])('of type %s alone is a check of that kind with its usual options', (type) => {
    expect(accepted({ ...plain, type }).check.kind).toBe(type.toLowerCase());
  });

  it('of type icmp needs no port', () => {
    const task = { ...plain, check_name: 'web.failover:10.0.0.1:icmp', type: 'icmp', port: null };
    expect(accepted(task).target.port).toBeUndefined();
  });

  it('of hsdo has the options that it brings, with the interval and the time-out of the task', () => {
    const check = { kind: 'http', path: '/health', expectedCodes: '2XX', retries: 0, intervalSeconds: 7 };
    expect(accepted({ ...plain, type: 'http', check }).check).toMatchObject({
      ...check,
      intervalSeconds: 30,
      timeoutSeconds: 5,
    });
  });

  it('shares its work with those that differ in the target alone', () => {
    const other = { ...plain, check_name: 'web.failover:10.0.0.2:443', target_ip: '10.0.0.2' };
    expect(accepted(other).kindOfWork).toBe(accepted(plain).kindOfWork);
    for (const change of [{ domain: 'db.failover' }, { interval_sec: 10 }, { timeout_sec: 1 }, { type: 'http' }])
      expect(accepted({ ...other, ...change }).kindOfWork).not.toBe(accepted(plain).kindOfWork);
  });

  it('runs an executable only where the agent permits that', () => {
    const exec = { ...plain, type: 'exec', check: { kind: 'exec', check: '/bin/true' } };
    expect(refused(exec)).toBe(
      'web.failover:10.0.0.1:443: it wants an executable run, which allowExec does not permit',
    );
    expect(accepted(exec, true).check.kind).toBe('exec');
  });

  it('never loads a file of the agent’s machine', () => {
    const own = { ...plain, type: 'module', check: { kind: 'module', path: '/tmp/any.mjs' } };
    expect(refused(own)).toMatch(/wants a file of this machine loaded, which no server may$/);
    expect(() => accepted(own, true)).toThrow(/no server may/);
  });

  it.each([
    [{ type: 'smtp' }, 'type is "smtp", expected one of tcp, http, icmp or the options of a check'],
    [{ type: 'exec' }, 'type is "exec", expected one of tcp, http, icmp or the options of a check'],
    [{ port: null }, 'it has no port, and a check of kind tcp needs one'],
    [{ target_ip: 'web.example' }, 'target_ip: expected an IP address'],
    [{ target_ip: '224.0.0.1' }, 'address is "224.0.0.1", expected one that a target can have'],
    [{ interval_sec: 0 }, 'interval_sec: Too small'],
    [{ check: { kind: 'tcp', pot: 1 } }, 'check: Unrecognized key: "pot"'],
    [{ check: { kind: 'smoke' } }, 'check: kind: '],
    [{ check: { kind: 'http', path: 'no-slash' } }, 'check: path: expected a path'],
  ])('with %j is refused by name: %s', (change, reason) => {
    expect(refused({ ...plain, ...change })).toContain(`web.failover:10.0.0.1:443: ${reason}`);
  });

  it('that is anything at all is refused in one short line, and nothing is thrown', () => {
    const anything = fc.oneof(fc.anything(), fc.record({ ...plainOf(fc.anything()) }, { requiredKeys: [] }));
    fc.assert(
      fc.property(anything, (value) => {
        const parsed = parseTask(value, { allowExec: true });
        if ('refusal' in parsed)
          expect(`${parsed.refusal.name}${parsed.refusal.reason}`).toMatch(/^[\x20-\x7e]{1,400}$/);
      }),
    );
  });
});

function plainOf<T>(value: T): Record<keyof typeof plain, T> {
  return Object.fromEntries(Object.keys(plain).map((key) => [key, value])) as Record<keyof typeof plain, T>;
}
