import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { freePort } from '../fixtures/ports.ts';
import { startProgram } from '../fixtures/program.ts';

/*
 * Without a container engine nothing here builds an image. What is claimed: the files that the Dockerfile copies are
 * enough for its npm steps, which run as written in an empty folder, and what its last stage takes from there starts.
 * What is not: that the base image exists, that its users and groups can be made, and file modes inside the image.
 */
const root = join(import.meta.dirname, '..', '..');
const home = '/opt/hsdo/';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Instructions of each stage, comments left out and continued lines joined. */
function readStages(): Instruction[][] {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .replace(/^#.*\n/gm, '')
    .replaceAll('\\\n', '');
  const stages: Instruction[][] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, rest });
  }
  return stages;
}

const [build = [], final = []] = readStages();
const folder = mkdtempSync(join(tmpdir(), 'hsdo-image-'));
const [buildFolder, finalFolder] = [join(folder, 'build'), join(folder, 'final')];
const plainEnv = { PATH: process.env['PATH'], HOME: process.env['HOME'] };

function copy(rest: string, from: string, to: string): void {
  const words = rest.split(/\s+/);
  const target = words.at(-1) ?? '';
  for (const source of words.slice(0, -1)) {
    const name = source.startsWith(home) ? source.slice(home.length) : source;
    cpSync(join(from, name), join(to, words.length > 2 || target === './' ? name : target), { recursive: true });
  }
}

function run(command: string, cwd: string, env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}:\n${stdout}${stderr}`);
}

function runStages(): void {
  for (const one of [buildFolder, finalFolder]) mkdirSync(one, { recursive: true });
  for (const { name, rest } of build) {
    if (name === 'COPY') copy(rest, root, buildFolder);
    // The cache only spares the network: package-lock.json fixes every package by its hash.
    const env = { ...plainEnv, npm_config_prefer_offline: 'true' };
    if (name === 'RUN') run(rest, buildFolder, env);
  }
  for (const { name, rest } of final) {
    if (name !== 'COPY') continue;
    if (rest.startsWith('--from=build ')) copy(rest.slice('--from=build '.length), buildFolder, finalFolder);
    else copy(rest, root, finalFolder);
  }
}

function argument(name: string): string {
  return final.find((one) => one.name === name)?.rest ?? '';
}

describe('the Dockerfile', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(() => certificates?.remove());

  it('starts from a base pinned to one release and ends as somebody other than root', () => {
    expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toMatch(
      /^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-bookworm-slim$/m,
    );
    expect(build[0]?.rest).toBe(`\${NODE_IMAGE} AS build`);
    expect(final[0]?.rest).toBe(`\${NODE_IMAGE}`);
    expect(argument('USER')).toBe('hsdo');
    expect(argument('VOLUME')).toBe('/var/lib/hsdo');
    expect(argument('STOPSIGNAL')).toBe('SIGTERM');
    expect(argument('HEALTHCHECK')).toContain('process.env.EXPORTER_PORT || 6789');
  });

  it.each(['http', 'https'])('is healthy exactly while /healthz answers well by %s', async (scheme) => {
    const [command = '', ...args] = JSON.parse(argument('HEALTHCHECK').replace(/^.*?CMD /, '')) as string[];
    let answer = 200;
    const listener: RequestListener = (request, response) => {
      response.statusCode = request.url === '/healthz' ? answer : 404;
      response.end();
    };
    // No authority that the image knows has signed it, as with most exporters.
    const server = scheme === 'http' ? createServer(listener) : createTlsServer(certificates.selfSigned, listener);
    const port = await freePort();
    const ask = () => startProgram(command, args, { env: { ...process.env, EXPORTER_PORT: String(port) } }).exited;
    expect(await ask()).toBe(1);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect(await ask()).toBe(0);
    answer = 503;
    expect(await ask()).toBe(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('gets from .dockerignore every file that it copies and nothing else', () => {
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n');
    const copied = [...build, ...final]
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(allowed).toEqual(['*', ...copied.map((name) => `!${name}`)]);
  });
});

describe('the steps of the Dockerfile, run in an empty folder', () => {
  beforeAll(runStages, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

  it('leaves a tree that starts', () => {
    const [command = '', ...args] = JSON.parse(argument('ENTRYPOINT')) as string[];
    const { status, stdout, stderr } = spawnSync(command, [...args, '--help'], {
      cwd: finalFolder,
      env: { ...plainEnv, NODE_ENV: 'production' },
      encoding: 'utf8',
    });
    expect(`${stderr}${status}`).toBe('0');
    expect(stdout).toContain('--server');
  });

  it('runs where everything is read-only but its volume', () => {
    const volume = join(folder, 'volume');
    mkdirSync(volume);
    const file = join(folder, 'env.yaml');
    const source = { kind: 'static', targets: ['127.0.0.1:1'] };
    const config = { services: [{ name: 'web', source, size: 3 }], exporter: { listen: 'off' } };
    writeFileSync(file, JSON.stringify({ ...config, api: { listen: 'off' } }));
    // In a view of the file system of its own, in which the machine's is read-only.
    const mounts = `mount --bind "${volume}" "${volume}" && mount -o remount,bind,ro / && ! touch "${folder}/x" 2>&1`;
    // Stopped when it has done its work, however long that takes on a machine that has other work.
    const log = join(volume, 'log');
    const isDone = `grep -q '"event":"placed"' "${log}"`;
    const hsdo = `{ node dist/main.js --server --config "${file}" 2> "${log}" & pid=$!; n=0; until ${isDone} || [ $n -ge 300 ]; do n=$((n + 1)); sleep 0.1; done; kill -TERM $pid; wait $pid; cat "${log}" >&2; }`;
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--user', '--map-root-user', '--mount', 'sh', '-c', `${mounts} && ${hsdo}`],
      { cwd: finalFolder, env: { ...plainEnv, STATE_DIRECTORY: volume }, encoding: 'utf8' },
    );
    expect(stdout).toContain('Read-only file system');
    expect(stderr).toContain('"event":"placed"');
    expect(stderr).toContain('hsdo stopped');
    expect(readdirSync(volume)).not.toEqual([]);
  });

  it('ships every dependency, also those that are loaded late, and no tool of development', () => {
    const text = readFileSync(join(root, 'package.json'), 'utf8');
    const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string>>;
    const isShipped = (name: string) => existsSync(join(finalFolder, 'node_modules', name, 'package.json'));
    expect(Object.keys(dependencies ?? {}).filter((name) => !isShipped(name))).toEqual([]);
    expect(Object.keys(devDependencies ?? {}).filter(isShipped)).toEqual([]);
  });
});
