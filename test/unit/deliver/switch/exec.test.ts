import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createExecSwitcher, execSchema } from '../../../../src/deliver/switch/exec.ts';
import { systemClock } from '../../../../src/time/clock.ts';

const never = new AbortController().signal;
const one = { name: 'ep 1; $(touch hacked)', address: '192.0.2.1', port: 8080 };
const two = { name: 'ep-2', address: '192.0.2.2' };
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hsdo-switch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);

function script(name: string, ...lines: string[]): string {
  writeFileSync(file(name), ['#!/bin/sh', ...lines, ''].join('\n'));
  chmodSync(file(name), 0o755);
  return name;
}

const create = (options: object) =>
  createExecSwitcher(execSchema.parse({ kind: 'exec', ...options }), {
    service: 'web',
    domain: 'example.org',
    clock: systemClock,
    baseFolder: folder,
  });

describe('the switcher "exec"', () => {
  it('hands over name and address as they are, and the rest in the environment, without a shell', async () => {
    const got = file('got');
    script('switch', `for one in "$@"; do echo "<$one>" >> ${got}; done`, `env | grep -E 'HSDO|KEY' | sort >> ${got}`);
    const switcher = create({ switch: 'switch', args: ['-v', ''], env: { KEY: 'k-1' } });
    await switcher.switchTo(one, never);
    expect(readFileSync(got, 'utf8').split('\n')).toEqual([
      '<-v>',
      '<>',
      `<${one.name}>`,
      '<192.0.2.1>',
      'HSDO_ADDRESS=192.0.2.1',
      'HSDO_DOMAIN=example.org',
      `HSDO_NAME=${one.name}`,
      'HSDO_PORT=8080',
      'HSDO_SERVICE=web',
      'KEY=k-1',
      '',
    ]);
    expect(existsSync(file('hacked'))).toBe(false);
  });

  it('asks init once, and believes the last switch from then on', async () => {
    script('init', `echo run >> ${file('runs')}`, 'echo noise >&2', "printf '\\n  ep-2 \\nmore\\n'");
    script('switch', 'exit 0');
    const switcher = create({ init: 'init', switch: 'switch' });
    expect(await switcher.current(never)).toBe('ep-2');
    await switcher.switchTo(one, never);
    expect(await switcher.current(never)).toBe(one.name);
    expect(readFileSync(file('runs'), 'utf8')).toBe('run\n');
  });

  it('asks `current` each time, so that it notices what others switch', async () => {
    script('current', `cat ${file('state')} 2>/dev/null || true`);
    script('switch', `echo "$2" > ${file('state')}`);
    const switcher = create({ current: 'current', switch: 'switch' });
    expect(await switcher.current(never)).toBeUndefined();
    await switcher.switchTo(two, never);
    expect(await switcher.current(never)).toBe('192.0.2.2');
    writeFileSync(file('state'), '192.0.2.1\n');
    expect(await switcher.current(never)).toBe('192.0.2.1');
  });

  it('knows nothing before the first switch where nobody can tell', async () => {
    script('switch', 'exit 0');
    const switcher = create({ switch: 'switch' });
    expect(await switcher.current(never)).toBeUndefined();
    await switcher.switchTo(two, never);
    expect(await switcher.current(never)).toBe('ep-2');
  });

  it('tells the code and the first line of a complaint, without secrets, and forgets nothing that it knew', async () => {
    script('init', 'echo ep-1');
    script('switch', 'echo "no right for $KEY" >&2', 'echo second >&2', 'exit 3');
    const switcher = create({ init: 'init', switch: 'switch', env: { KEY: 'secret-1' } });
    await switcher.current(never);
    await expect(switcher.switchTo(two, never)).rejects.toMatchObject({
      code: 'unavailable',
      message: `switch "${file('switch')}" ended with code 3: no right for ***`,
    });
    expect(await switcher.current(never)).toBe('ep-1');
    await expect(create({ init: 'gone', switch: 'switch' }).current(never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining(`Cannot run init "${file('gone')}"`),
    });
  });

  it('ends the executable when its time is over', async () => {
    script('switch', 'sleep 60');
    const own = new AbortController();
    const call = create({ switch: 'switch' }).switchTo(two, own.signal);
    own.abort(new Error('too long'));
    await expect(call).rejects.toThrow('too long');
  });
});
