import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { HealthCheck } from '../../../src/check/health-check.ts';
import { runProbe } from '../../../src/check/probing.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { failed, passed } from '../../../src/model/probe.ts';
import type { Target } from '../../../src/model/target.ts';
import { systemClock } from '../../../src/time/clock.ts';

const target: Target = { id: 'i-1', name: 'web-1', address: '127.0.0.1', port: 1, group: 'web' };
const never = new AbortController().signal;
const run = (check: HealthCheck['check'], rules: { timeoutMs?: number; retries?: number } = {}, signal = never) =>
  runProbe({ check }, target, { timeoutMs: 5000, retries: 0, clock: systemClock, ...rules }, signal);

const servers: Server[] = [];
const sockets: Socket[] = [];

/** A listener that greets after `delayMs` on its n-th connection, or never. */
async function startGreeter(delayMs: (connection: number) => number | undefined): Promise<number> {
  let connections = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    const ms = delayMs(connections++);
    if (ms !== undefined) setTimeout(() => socket.end('hello'), ms);
    socket.on('error', () => {});
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Waits for the greeting; `isDeaf` goes on when it should stop. */
function greeting(port: number, isDeaf = false): HealthCheck['check'] {
  return (_, signal) =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('data', () => resolve(passed('greeted')));
      socket.once('error', reject);
      if (!isDeaf) signal.addEventListener('abort', () => socket.destroy(signal.reason as Error));
      sockets.push(socket);
    });
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

describe('a probe', () => {
  it('is what the check found, with the time that it took', async () => {
    const port = await startGreeter(() => 50);
    const probe = await run(greeting(port));
    expect(probe).toMatchObject({ result: 'up', code: 'ok' });
    expect(probe.totalMs).toBeGreaterThan(40);
    expect(await run(() => Promise.resolve(passed('fine', { totalMs: 7 })))).toMatchObject({ totalMs: 7 });
    expect(await run(() => Promise.resolve(failed('refused', 'no')))).toEqual(failed('refused', 'no'));
  });

  it('is a time-out when there is no answer in time, also from a check that does not listen', async () => {
    const port = await startGreeter(() => undefined);
    for (const isDeaf of [false, true]) {
      const startedAt = performance.now();
      const probe = await run(greeting(port, isDeaf), { timeoutMs: 80 });
      expect(probe).toEqual(failed('timeout', 'No complete answer within 80 ms'));
      expect(performance.now() - startedAt).toBeLessThan(1500);
    }
  });

  it('is tried again after a time-out, and says how often when all tries fail', async () => {
    const third = await startGreeter((connection) => (connection < 2 ? undefined : 0));
    expect(await run(greeting(third), { timeoutMs: 800, retries: 2 })).toMatchObject({ result: 'up' });
    const mute = await startGreeter(() => undefined);
    const probe = await run(greeting(mute), { timeoutMs: 40, retries: 2 });
    expect(probe).toEqual(failed('timeout', 'No complete answer within 40 ms, tried 3 times'));
  });

  it('is tried again, too, when the check itself says that it timed out', async () => {
    let tries = 0;
    const check = () => {
      tries += 1;
      return Promise.resolve(tries < 3 ? failed('timeout', 'the kernel gave up') : passed('fine'));
    };
    expect(await run(check, { retries: 2 })).toMatchObject({ result: 'up' });
    tries = 0;
    expect((await run(check, { retries: 1 })).message).toBe('the kernel gave up, tried 2 times');
  });

  it('is not tried again for any other reason', async () => {
    let tries = 0;
    const check = () => {
      tries += 1;
      return Promise.resolve(failed('refused', 'no'));
    };
    await run(check, { retries: 5 });
    expect(tries).toBe(1);
  });

  it('is unknown when the check throws, at once or later, whatever it throws', async () => {
    const thrown: unknown[] = [new HsdoError('unavailable', 'away'), new TypeError('a bug'), 'text', undefined];
    for (const error of thrown) {
      const later = await run(() => Promise.reject(error as Error));
      const now = await run(() => {
        throw error;
      });
      expect(later).toEqual(now);
      expect(later).toMatchObject({ result: 'unknown', code: 'error' });
    }
    expect((await run(() => Promise.reject(new Error('why')))).message).toBe('The check could not be made: why');
  });

  it('is unknown when a check answers with something that is no probe', async () => {
    const fine = passed('fine');
    const answers = [undefined, null, 'up', {}, { ...fine, result: 'UP' }, { ...fine, code: 'great' }];
    const times = [
      { ...fine, totalMs: -1 },
      { ...fine, connectMs: Number.NaN },
      { ...fine, message: 5 },
    ];
    for (const answer of [...answers, ...times])
      expect(await run(() => Promise.resolve(answer as never))).toMatchObject({ result: 'unknown', code: 'error' });
  });

  it('is unknown when it timed out while this process itself stood still, and is then not asked again', async () => {
    let tries = 0;
    const check: HealthCheck['check'] = () => {
      tries += 1;
      const until = performance.now() + 500;
      while (performance.now() < until);
      return new Promise(() => {});
    };
    const probe = await run(check, { timeoutMs: 100, retries: 3 });
    expect(probe).toMatchObject({ result: 'unknown', code: 'error' });
    expect(probe.message).toMatch(/this process had no time to listen: it took \d+ ms/);
    expect(tries).toBe(1);
  });

  it('rejects at once with the reason when everything is stopped', async () => {
    const stopping = new AbortController();
    const running = run(() => new Promise(() => {}), { timeoutMs: 60_000, retries: 3 }, stopping.signal);
    const reason = new Error('stopped');
    stopping.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(run(() => Promise.resolve(passed('fine')), {}, stopping.signal)).rejects.toBe(reason);
  });
});
