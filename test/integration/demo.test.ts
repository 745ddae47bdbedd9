import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askDns, dataOf, type Place } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { command } from '../fixtures/hsdo.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';

const root = join(import.meta.dirname, '..', '..');
const unhurried = [process.execPath, ...command, 'demo', '--once', '--seconds-per-step'];
const demo = [...unhurried, '0'];

let folder = '';
let program: Program | undefined;

/** Everything of a demo carries the name of its folder on its command line. */
function processes(): { pid: number; commandLine: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return commandLine.includes(folder) ? [{ pid: Number(name), commandLine }] : [];
      } catch {
        return [];
      }
    });
}

const parentOf = (pid: number) => Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Starts the demo with a folder for temporary files that is its own. */
function startDemo([command = '', ...args]: readonly string[] = demo): Program {
  program = startProgram(command, args, { cwd: root, env: { ...process.env, TMPDIR: folder } });
  return program;
}

async function reaches(text: string): Promise<void> {
  const output = () => stripVTControlCharacters(program?.output() ?? '');
  const says = until(`the demo says "${text}"`, () => output().includes(text), { timeoutMs: 60_000 });
  const ends = program?.exited.then((code) => {
    if (!output().includes(text)) throw new Error(`the demo ended with ${code} before it said "${text}": ${output()}`);
  });
  await Promise.race([says, ends]);
}

/** Where the demo says that DNS is. */
async function toldPlace(): Promise<Place> {
  await reaches('# or A, or TXT');
  const [, host = '', port] = /dig \+short @(\S+) -p (\d+) web\.demo\.test SRV/.exec(program?.output() ?? '') ?? [];
  return { host, port: Number(port) };
}

/** What dig sees from the first answer to the end of the demo, each change once: `web.demo.test` by the last bytes of its addresses. */
async function digAlong(): Promise<readonly string[]> {
  const place = await toldPlace();
  const seen: string[] = [];
  const look = async () => {
    const addresses = await dataOf(place, 'web.demo.test', 'A').catch(() => ['silence']);
    const now = addresses.map((address) => address.replace('127.77.0.', '')).join(' ');
    const isBefore = seen.length === 0 && (now === '' || now === 'silence');
    if (!isBefore && now !== seen.at(-1)) seen.push(now);
    return program?.isRunning() === false;
  };
  await until('the demo ends', look, { timeoutMs: 150_000, everyMs: 150 });
  return seen.at(-1) === 'silence' ? seen.slice(0, -1) : seen;
}

/** Whether all of `wanted` come in `seen` in this order, with anything between. */
function isToldIn(wanted: readonly string[], seen: readonly string[]): boolean {
  const rest = seen.reduce((left, one) => (one === left[0] ? left.slice(1) : left), wanted);
  return rest.length === 0;
}

async function expectNothingLeft(): Promise<void> {
  // The loader that runs the sources keeps its own cache beside.
  expect((await readdir(folder)).filter((name) => name.startsWith('hsdo-'))).toEqual([]);
  await until('every process is gone', () => processes().length === 0);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-demo-test-'));
});

afterEach(async () => {
  await program?.stop();
  for (const { pid } of processes()) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

describeWith(['haproxy'], 'the demo', () => {
  it('ends cleanly on SIGINT in the middle', async () => {
    startDemo();
    await reaches('slot 3: web-3 drains');
    expect(processes().some(({ commandLine }) => commandLine.includes('haproxy -W'))).toBe(true);
    program?.signal('SIGINT');
    expect(await program?.exited).toBe(130);
    await program?.closed;
    expect(program?.output()).toContain('2 of 9 steps came out as told');
    expect(program?.output()).toContain(' 0 failed.');
    await expectNothingLeft();
  });

  it('ends at once on a second SIGINT, with all that it started', async () => {
    startDemo();
    await reaches('1/9 Four targets arrive');
    program?.signal('SIGINT');
    program?.signal('SIGINT');
    expect(await program?.exited).toBe(130);
    await expectNothingLeft();
  });

  it('fails loudly when a part of it dies that should live', async () => {
    startDemo();
    await reaches('2/9 Two more arrive');
    const client = processes().find(({ commandLine }) => commandLine.includes('--client'));
    process.kill(client?.pid ?? 0, 'SIGKILL');
    expect(await program?.exited).toBe(1);
    expect(program?.output()).toContain('FAILED 2/9 Two more arrive: hsdo --client --dns ended');
    await expectNothingLeft();
  });
});

describeWith(['haproxy', 'dig'], 'the demo in DNS', () => {
  it('tells its whole story in plain lines, verifies it, loses no request, follows it in DNS and leaves nothing behind', async () => {
    // Long enough for each state to be seen by a dig on a busy machine.
    const told = startDemo([...unhurried, '3']);
    const seen = await digAlong();
    const code = await told.exited;
    await told.closed;
    const output = told.output();
    expect(output).toMatch(/^9 of 9 steps came out as told, in \d+ s\.\n\d{4,} requests served, 0 failed\.$/m);
    expect(output).toContain('the guard holds 6 targets');
    expect(stripVTControlCharacters(output)).toBe(output);
    expect(code).toBe(0);
    const [four, six, gone, dead, seven] = ['1 2 3 4', '1 2 3 4 5 6', '1 2 4 5 6', '1 3 4 5 6', '1 2 3 4 5 6 7'];
    expect(seen).toSatisfy((all: string[]) => isToldIn([four, six, gone, six, dead, six, seven], all));
    expect(seen.at(-1)).toBe(seven);
    expect(seen).not.toContain('silence');
    expect(seen).not.toContain('');
    await expectNothingLeft();
  });

  it('gives ports and addresses at which exactly those answer who serve', async () => {
    startDemo();
    const place = await toldPlace();
    await reaches('2/9 Two more arrive');
    const services = await until('six names', async () => {
      const { answer, additional } = await askDns('dig', place, 'web.demo.test', 'SRV');
      return answer.length === 6 && { answer, additional };
    });
    const answers = services.answer.map(async (line) => {
      const [, , , , , port, slot] = line.split(' ');
      const address = services.additional.find((one) => one.startsWith(`${slot} `))?.split(' ')[3];
      return (await fetch(`http://${address}:${port}/`)).headers.get('x-target');
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([1, 2, 3, 4, 5, 6].map((n) => `web-${n}`)));
    program?.signal('SIGINT');
    expect(await program?.exited).toBe(130);
    await expectNothingLeft();
  });
});

describeWith(['haproxy', 'script'], 'the demo on a terminal', () => {
  it('draws a table, and gives the cursor back on Ctrl-C', async () => {
    startDemo(['script', '-qec', demo.join(' '), '/dev/null']);
    await reaches('2/9 Two more arrive');
    await reaches('web-5 is up');
    const server = processes().find(({ commandLine }) => commandLine.includes('--server'));
    process.kill(parentOf(server?.pid ?? 0), 'SIGINT');
    expect(await program?.exited).toBe(130);
    const output = program?.output() ?? '';
    expect(output).toContain('\u001b[?25l');
    expect(output.lastIndexOf('\u001b[?25h')).toBeGreaterThan(output.lastIndexOf('\u001b[?25l'));
    await expectNothingLeft();
  });
});
