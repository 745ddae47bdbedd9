import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliHere } from '../fixtures/cli.ts';
import { describeWith } from '../fixtures/component.ts';
import { command, environment, type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { startProgram } from '../fixtures/program.ts';
import { openPty } from '../fixtures/pty.ts';
import { until } from '../fixtures/until.ts';

let hsdo: Hsdo;
let folder: string;
let env: NodeJS.ProcessEnv;
const target = (name: string) => ({ name, address: `127.0.0.${name.length}`, port: 80 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-shell-'));
  const service = (name: string, ...names: readonly string[]) => ({
    name,
    size: 4,
    source: { kind: 'static', targets: names.map(target) },
  });
  hsdo = await startHsdo({
    role: 'server',
    nodeId: 'n1',
    config: {
      services: [service('web', 'web:a', 'web:bc'), service('shop', 'cart')],
      store: { kind: 'sqlite', path: join(folder, 'hsdo.db') },
      intervalSeconds: 0.1,
    },
  });
  const words = [process.execPath, ...command].map((word) => `'${word}'`).join(' ');
  await writeFile(join(folder, 'hsdo'), `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(join(folder, 'hsdo'), 0o755);
  env = { ...environment, PATH: `${folder}:${process.env['PATH']}`, HSDO_API: hsdo.api, HOME: folder };
  await writeFile(join(folder, 'asking.bash'), asking);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await runCliHere(['completion', shell]);
    await writeFile(join(folder, `completion.${shell}`), stdout);
  }
});
afterAll(async () => {
  await hsdo?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** What a command line prints, by lines. */
async function linesOf(program: string, ...args: readonly string[]): Promise<readonly string[]> {
  const run = startProgram(program, args, { env, cwd: folder });
  await run.closed;
  if (run.stderr() !== '') throw new Error(run.stderr());
  return run
    .stdout()
    .split('\n')
    .filter((line) => line !== '');
}

/** What bash offers for a line, as if the tab key was pressed at its end. */
const bash = (line: string) => linesOf('bash', '--norc', '-c', 'source ./asking.bash "$1"', 'bash', line);
const asking = `source ./completion.bash
COMP_LINE=$1 COMP_POINT=\${#1}
_hsdo
printf "%s\\n" "\${COMPREPLY[@]}"
`;
const fish = (line: string) => linesOf('fish', '--no-config', '-c', `source completion.fish; complete -C '${line}'`);

describeWith(['bash'], 'completion in a real bash', () => {
  it('offers commands, options, choices and files', async () => {
    expect(await bash('hsdo switcho')).toEqual(['switchover']);
    expect(await bash('hsdo --debug stat')).toEqual(['status']);
    expect(await bash('hsdo switchover --n')).toEqual(['--no-wait']);
    expect(await bash('hsdo override web a ')).toEqual(['ready', 'drain', 'maint', 'none']);
    expect(await bash('hsdo completion z')).toEqual(['zsh']);
    expect(await bash('hsdo --config comp')).toContain('completion.zsh');
    expect(await bash('hsdo import completion.b')).toEqual(['completion.bash']);
  });

  it('offers names that a running hsdo knows, with colons in them too', async () => {
    await until('names of services', async () => (await bash('hsdo service ')).join() === 'web,shop');
    // Bash replaces what stands after the last colon, and nothing before.
    await until('the rest of a target', async () => (await bash('hsdo override web web:b')).join() === 'bc');
  });
});

describeWith(['fish'], 'completion in a real fish', () => {
  it('offers commands, options, choices and names', async () => {
    expect(await fish('hsdo switcho')).toEqual([expect.stringMatching(/^switchover\tmake one target/)]);
    expect(await fish('hsdo switchover --n')).toEqual([expect.stringMatching(/^--no-wait\t/)]);
    expect(await fish('hsdo override web a r')).toEqual(['ready']);
    await until('targets', async () => (await fish('hsdo switchover web web')).join() === 'web:a,web:bc');
  });
});

describeWith(['zsh', 'script'], 'completion in a real zsh', () => {
  it('completes a command, a choice and a name at the tab key', async () => {
    const shell = openPty('zsh -f -i', env);
    try {
      shell.type(`autoload -U compinit; compinit -u -D; source ${folder}/completion.zsh; echo rea''dy\r`);
      await shell.shows(/ready\r?\n/);
      const before = shell.output().length;
      shell.type('hsdo switcho\t');
      await shell.shows('switchover', before);
      shell.type('sh');
      // The shell has given up after 300 ms, should the machine be busy; a person would press the key again at its bell.
      let heard = -1;
      const isNamed = () => {
        const shown = shell.output();
        if (shown.length !== heard) shell.type('\t');
        heard = shown.length;
        return /sh.*op/.test(shown.slice(before));
      };
      await until('the name of a service', isNamed, { everyMs: 500, timeoutMs: 30_000 });
      const cleared = shell.output().length;
      shell.type('\u0015hsdo override shop x ma\t');
      await shell.shows(/ma.*int/, cleared);
    } finally {
      shell.kill();
    }
  });
});

describe('names for completion', () => {
  const names = (...args: readonly string[]) => runCliHere(['names', ...args, '--api', hsdo.api]);

  it('are those of services, targets and nodes, and none where nobody answers', async () => {
    expect(await names('services')).toEqual({ code: 0, stdout: 'web\nshop\n', stderr: '' });
    expect(await names('targets', 'shop')).toMatchObject({ stdout: 'cart\n' });
    expect(await names('nodes')).toMatchObject({ stdout: 'n1\n' });
    expect(await names('targets', 'absent')).toEqual({ code: 0, stdout: '', stderr: '' });
    const away = await runCliHere(['names', 'services', '--api', 'http://127.0.0.1:9']);
    expect(away).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('leave out what a shell would run', async () => {
    const answer = JSON.stringify({ services: [{ name: '$(touch x)' }, { name: 'web' }] });
    const server = createServer((_, response) => response.end(answer)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { stdout } = await runCliHere(['names', 'services', '--api', `http://127.0.0.1:${port}`]);
    server.close();
    expect(stdout).toBe('web\n');
  });
});

describeWith(['script'], 'hsdo top', () => {
  it('shows services and slots, goes on while the API is away, and leaves the terminal as it was', async () => {
    const top = openPty(`hsdo top; echo "ended with $?"; stty -a`, env);
    try {
      await top.shows('\u001b[?1049h');
      await top.shows(/web:bc/);
      expect(top.output()).toMatch(/n1 \(leader\)/);
      const before = top.output().length;
      top.type('\u001b[B');
      await top.shows(/> shop/, before);
      await top.shows(/cart/, before);
      await hsdo.stop();
      await top.shows(/no answer for \d+ s, what follows is old/);
      await hsdo.start();
      const back = top.output().length;
      await top.shows(/no problems/, back);
      top.type('q');
      await top.shows(/ended with 0/);
      expect(top.output()).toContain('\u001b[?25h\u001b[?1049l');
      await top.shows(/(?<!-)icanon/);
      expect(await top.exited).toBe(0);
    } finally {
      top.kill();
    }
  });

  it('ends by Ctrl-C as well, and says in a pipe that it needs a terminal', async () => {
    const top = openPty('hsdo top --api http://127.0.0.1:9; echo "ended with $?"', env);
    try {
      await top.shows(/Cannot ask hsdo at http:\/\/127.0.0.1:9/);
      top.type('\u0003');
      await top.shows('ended with 0');
      expect(top.output()).toContain('\u001b[?1049l');
    } finally {
      top.kill();
    }
    const { code, stderr } = await runCliHere(['top']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('needs a terminal') });
  });
});
