import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createExecCheck, execSchema } from '../../../src/check/exec.ts';
import { runProbe } from '../../../src/check/probing.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { until } from '../../fixtures/until.ts';

const target = { id: 'i-1', name: 'web 1; $(touch hacked)', address: '10.0.0.1', group: 'web' };
/** For programs that are started on a machine that has other work. */
const longMs = 30_000;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsdo-exec-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);

function script(name: string, ...lines: string[]): string {
  writeFileSync(file(name), ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(file(name), 0o755);
  return name;
}

const create = (options: object) =>
  createExecCheck(execSchema.parse({ kind: 'exec', ...options }), {
    service: 'web',
    clock: systemClock,
    baseFolder: folder,
  });
const ask = (options: object, signal = new AbortController().signal) => create(options).check(target, signal);

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const pidIn = (name: string) =>
  until(`${name} holds a number`, () => Number(readFileSync(file(name), 'utf8')) || false);

describe('the check "exec"', () => {
  it('calls a target up when the executable ends with 0, and hands over name and address as they are', async () => {
    script('check', `for one in "$@"; do echo "<$one>" >> ${file('got')}; done`, 'read line || echo closed');
    expect(await ask({ check: 'check', args: ['-v', ''] })).toMatchObject({
      result: 'up',
      message: `"${file('check')}" ended with code 0: closed`,
    });
    expect(readFileSync(file('got'), 'utf8')).toBe(`<-v>\n<>\n<${target.name}>\n<10.0.0.1>\n`);
    expect(existsSync(file('hacked'))).toBe(false);
  });

  it('tells the exit code and the last line of what it printed, printable and short', async () => {
    script('check', 'echo first', `printf 'lost \\033[31mdatabase\\007\\n\\n' >&2`, 'exit 7');
    expect(await ask({ check: 'check' })).toEqual({
      result: 'down',
      code: 'exit',
      message: `"${file('check')}" ended with code 7: lost [31mdatabase`,
    });
    script('loud', 'head -c 3000000 /dev/zero | tr "\\0" x', 'exit 1');
    const loud = await ask({ check: 'loud' });
    expect(loud.code).toBe('exit');
    expect(loud.message.length).toBeLessThanOrEqual(300);
  });

  it('tells the signal that ended it', async () => {
    script('check', 'kill -TERM $$');
    expect(await ask({ check: 'check' })).toMatchObject({ result: 'down', code: 'signal' });
    expect((await ask({ check: 'check' })).message).toContain('was ended by SIGTERM');
  });

  it('cannot ask with an executable that is missing, may not be run or has no interpreter', async () => {
    writeFileSync(file('plain'), 'text');
    script('odd');
    writeFileSync(file('odd'), '#!/no/such/interpreter\n');
    for (const check of ['missing', 'plain', 'odd', folder])
      expect(await ask({ check })).toMatchObject({ result: 'unknown', code: 'error' });
    expect((await ask({ check: 'missing' })).message).toContain(`"${file('missing')}"`);
  });

  it('gives it a lean environment, and never shows what the configuration put into it', async () => {
    process.env['HSDO_TEST_PASSWORD'] = 'of the parent';
    script('check', `env > ${file('env')}`, 'echo "token is $TOKEN"', 'exit 1');
    const probe = await ask({ check: 'check', env: { TOKEN: 's3cret' } });
    delete process.env['HSDO_TEST_PASSWORD'];
    expect(probe.message).toContain('token is ***');
    const names = readFileSync(file('env'), 'utf8')
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['PATH', 'TOKEN']));
    expect(names).not.toContain('HSDO_TEST_PASSWORD');
    expect(JSON.stringify(execSchema.parse({ kind: 'exec', check: 'x', env: { TOKEN: 's3cret' } }))).not.toContain(
      's3c',
    );
  });

  it(
    'is ended with everything that it started when it takes too long',
    async () => {
      script('check', 'trap "" TERM', `sh -c 'trap "" TERM; echo $$ > ${file('child')}; sleep 600' &`, 'sleep 600');
      const rules = { timeoutMs: 2500, retries: 0, clock: systemClock };
      const probe = await runProbe(create({ check: 'check' }), target, rules, new AbortController().signal);
      expect(probe.code).toBe('timeout');
      const child = await pidIn('child');
      await until('the child is gone', () => !isAlive(child));
    },
    longMs,
  );

  it(
    'leaves nothing running when it ends by itself, and does not wait for who holds its output',
    async () => {
      script('check', `sleep 600 & echo $! > ${file('child')}`, 'exit 0');
      expect(await ask({ check: 'check' })).toMatchObject({ result: 'up' });
      const child = await pidIn('child');
      await until('the child is gone', () => !isAlive(child));
      script(
        'escaping',
        `setsid sh -c 'echo $$ > ${file('escaped')}; exec sleep 600' &`,
        'sleep 0.2; echo done; exit 3',
      );
      expect((await ask({ check: 'escaping' })).message).toContain('code 3: done');
      process.kill(await pidIn('escaped'), 'SIGKILL');
    },
    longMs,
  );

  it('runs init once before the first check', async () => {
    script('init', `echo init $# >> ${file('log')}`);
    script('check', `echo check >> ${file('log')}`);
    const check = create({ init: 'init', check: 'check' });
    const { signal } = new AbortController();
    await Promise.all([check.check(target, signal), check.check(target, signal)]);
    await check.check(target, signal);
    expect(readFileSync(file('log'), 'utf8')).toBe('init 0\ncheck\ncheck\ncheck\n');
  });

  it('cannot ask while init fails, and tries it again with the next check', async () => {
    script('init', `test -e ${file('ready')} || { echo not yet; exit 4; }`);
    script('check', 'exit 0');
    const check = create({ init: 'init', check: 'check' });
    const { signal } = new AbortController();
    const first = await check.check(target, signal);
    expect(first).toMatchObject({ result: 'unknown', code: 'error' });
    expect(first.message).toContain('ended with code 4: not yet');
    writeFileSync(file('ready'), '');
    expect(await check.check(target, signal)).toMatchObject({ result: 'up' });
  });

  it(
    'does not hold a slow init against the target',
    async () => {
      script('init', 'sleep 600');
      script('check', 'exit 0');
      const check = create({ init: 'init', check: 'check', timeoutSeconds: 1 });
      const rules = { timeoutMs: 1000, retries: 0, clock: systemClock };
      const probe = await runProbe(check, target, rules, new AbortController().signal);
      expect(probe).toMatchObject({ result: 'unknown', code: 'error' });
      expect(probe.message).toContain('did not answer in 900 ms');
    },
    longMs,
  );

  it('refuses options that no program could be given', () => {
    for (const bad of [
      {},
      { check: '' },
      { check: 'a\0b' },
      { check: 'a', args: ['\0'] },
      { check: 'a', env: { 'A=B': 'c' } },
    ])
      expect(execSchema.safeParse({ kind: 'exec', ...bad }).success).toBe(false);
  });
});
