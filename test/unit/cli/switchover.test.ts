import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { runCliHere } from '../../fixtures/cli.ts';

let server: Server | undefined;
afterEach(() => {
  vi.restoreAllMocks();
  server?.close();
  server?.closeAllConnections();
});

const asked = { status: 'asked', switchover: { token: 'w1', targetId: 'i-2', targetName: 'db-2' } };
const active = { name: 'db', active: 'i-2', activeName: 'db-2', switchover: { ...asked.switchover, by: 'ann', at: 1 } };

/** An API that takes a switchover, and then gives these answers to who looks, the last one again and again. */
async function startLooking(...looks: readonly (readonly [status: number, body: object])[]): Promise<string> {
  let n = -1;
  const own = createServer((request, response) => {
    if (request.method === 'GET') n = Math.min(n + 1, looks.length - 1);
    const [status, body] = request.method === 'GET' ? (looks[n] ?? [500, {}]) : [202, asked];
    response.writeHead(status).end(JSON.stringify(body));
  });
  server = own;
  await new Promise<void>((resolve) => {
    own.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
}

describe('hsdo switchover', () => {
  it('goes on looking while the API cannot tell, since the wish is taken', async () => {
    const api = await startLooking(
      [503, { error: 'the store is away' }],
      [200, { ...active, active: 'i-1' }],
      [200, active],
    );
    const done = await runCliHere(['switchover', 'db', 'db-2', '--api', api]);
    expect(done).toEqual({ code: 0, stdout: expect.stringContaining('db'), stderr: '' });
  });

  it('says of a wish that nobody honours why it could not look', async () => {
    const api = await startLooking([503, { error: 'the store is away' }]);
    let passedMs = 0;
    vi.spyOn(systemClock, 'monotonic').mockImplementation(() => {
      passedMs += 6000;
      return passedMs;
    });
    const { code, stderr } = await runCliHere(['switchover', 'db', 'db-2', '--api', api]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `It is kept in the store, but no leader did it in 10 s: see hsdo status (${api} refuses (503): the store is away)\n`,
    );
  });
});
