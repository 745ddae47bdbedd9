import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCliHere } from '../../fixtures/cli.ts';

let server: Server | undefined;
afterEach(() => {
  vi.unstubAllEnvs();
  server?.close();
  server?.closeAllConnections();
});

/** A program that gives this answer to everything, and keeps who asked. */
async function startAnswering(text: string) {
  const users: (string | undefined)[] = [];
  const paths: (string | undefined)[] = [];
  const tokens: (string | undefined)[] = [];
  const own = createServer((request, response) => {
    paths.push(request.url);
    tokens.push(request.headers.authorization);
    users.push(request.headers['x-hsdo-user'] as string | undefined);
    response.end(text);
  });
  server = own;
  await new Promise<void>((resolve) => {
    own.listen(0, '127.0.0.1', resolve);
  });
  return { api: `127.0.0.1:${(own.address() as AddressInfo).port}`, users, paths, tokens };
}

describe('a command that asks a running hsdo', () => {
  it('says which address is none, and that this is a mistake of the command line', async () => {
    for (const api of ['not an address', 'http://', 'http://127.0.0.1:99999', 'http://127.0.0.1/?a=1']) {
      const { code, stderr } = await runCliHere(['status', '--api', api]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: `error: --api is ${JSON.stringify(api)}, expected an address such as http://127.0.0.1:8128\n`,
      });
    }
    vi.stubEnv('HSDO_API', 'no such:thing');
    expect(await runCliHere(['nodes'])).toMatchObject({
      code: 2,
      stderr: 'error: HSDO_API is "no such:thing", expected an address such as http://127.0.0.1:8128\n',
    });
  });

  it('says that somebody else answers there, such as the exporter', async () => {
    const { api } = await startAnswering('# HELP hsdo_up 1\nhsdo_up 1\n');
    for (const args of [['status'], ['services'], ['service', 'web'], ['slots'], ['nodes'], ['events']]) {
      const { code, stderr } = await runCliHere([...args, '--api', api]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `http://${api} is not the API of hsdo: expected JSON, not "# HELP hsdo_up 1 hsdo_up 1"\n`,
      });
    }
  });

  it('asks below the path that the address has, as it may behind a proxy', async () => {
    const { api, paths } = await startAnswering('{"services":[]}');
    for (const path of ['/hsdo', '/hsdo/', '']) {
      expect(await runCliHere(['services', '--api', `${api}${path}`])).toMatchObject({ code: 0, stderr: '' });
    }
    expect(paths).toEqual(['/hsdo/api/v1/services', '/hsdo/api/v1/services', '/api/v1/services']);
  });

  it('says the name of its user, whatever letters that has', async () => {
    const { api, users } = await startAnswering('{"services":[]}');
    for (const name of ['ann', 'Jürgen', 'Łukasz']) {
      vi.stubEnv('USER', name);
      expect(await runCliHere(['services', '--api', api])).toMatchObject({ code: 0, stderr: '' });
    }
    expect(users).toEqual(['ann', 'Jürgen', '?ukasz']);
  });

  it('shows the token of a configuration to its own API, and to another one only where the file was named', async () => {
    const { api, tokens } = await startAnswering('{"services":[]}');
    const source = { kind: 'static', targets: ['10.0.0.1:80'] };
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-api-'));
    const file = join(folder, 'env.yaml');
    await writeFile(
      file,
      JSON.stringify({ api: { listen: api, token: 'our-own-token' }, services: [{ name: 'web', source }] }),
    );
    const other = api.replace('127.0.0.1', 'localhost');
    const ask = (...args: string[]) => runCliHere(['services', ...args]);
    await ask('--config', file);
    await ask('--config', file, '--api', other);
    const flat = { SERVER_MODE: 'consul', CONSUL_API_URL: 'http://127.0.0.1:8500', CONSUL_SERVICE_NAME: 'web' };
    const variables = { ...flat, API_LISTEN: api, API_TOKEN: 'our-own-token' };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    await ask('--api', api);
    await ask('--api', other);
    expect(tokens).toEqual(['Bearer our-own-token', 'Bearer our-own-token', 'Bearer our-own-token', undefined]);
    await rm(folder, { recursive: true });
  });

  it('takes a variable that is empty for one that is not set', async () => {
    const { api } = await startAnswering('{"services":[]}');
    const source = { kind: 'static', targets: ['10.0.0.1:80'] };
    const file = join(await mkdtemp(join(tmpdir(), 'hsdo-api-')), 'env.yaml');
    await writeFile(file, JSON.stringify({ api: { listen: api }, services: [{ name: 'web', source }] }));
    vi.stubEnv('HSDO_API', '');
    expect(await runCliHere(['services', '--config', file])).toMatchObject({ code: 0, stderr: '' });
    await rm(dirname(file), { recursive: true });
  });
});
