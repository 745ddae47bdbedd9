import { createServer as createTcpServer, type Server } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createSentinels } from '../../../src/redis/sentinels.ts';
import { sentinelOptions } from '../../../src/redis/settings.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { type Certificates, type KeyPair, makeCertificates } from '../../fixtures/certificates.ts';
import { describeWith } from '../../fixtures/component.ts';
import { sentinelAnswers } from '../../fixtures/redis-stand-in.ts';
import { until } from '../../fixtures/until.ts';

const never = new AbortController().signal;
const schema = z.strictObject(sentinelOptions);

describeWith(['openssl'], 'sentinels and a master behind TLS', () => {
  let certificates: Certificates;
  const servers: Server[] = [];
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(() => certificates.remove());
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  });

  const listen = async (server: Server): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  /** A Redis, or a sentinel that names the master at `master`. */
  const start = (pair: KeyPair, master = 1) =>
    listen(
      createServer(pair, (socket) => {
        socket.on('error', () => {});
        socket.on('data', (chunk) => sentinelAnswers('127.0.0.1', master)(socket, chunk.toString('latin1')));
      }),
    );
  const findBy = (port: number, tls: object | boolean, timeoutMs = 8000) => {
    const settings = schema.parse({ masterName: 'mymaster', sentinels: [{ host: '127.0.0.1', port }], tls });
    return createSentinels(settings, { timeoutMs, clock: systemClock }).find(never);
  };

  it('are asked when their certificates are good, by address and by the name that is configured', async () => {
    const master = await start(certificates.good);
    const sentinel = await start(certificates.good, master);
    const found = { address: '127.0.0.1', port: master };
    expect(await findBy(sentinel, { ca: certificates.caFile })).toEqual(found);
    expect(await findBy(sentinel, { ca: certificates.caFile, serverName: 'web.test' })).toEqual(found);
  });

  it('are not believed with an unknown authority, another name or an old certificate', async () => {
    const sentinel = await start(certificates.good);
    await expect(findBy(sentinel, true)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/certificate/),
    });
    await expect(findBy(sentinel, { ca: certificates.caFile, serverName: 'web2.test' })).rejects.toThrow(/altnames/);
    for (const [pair, reason] of [
      [certificates.wrongName, /altnames/],
      [certificates.expired, /expired/],
      [certificates.selfSigned, /self-signed/],
    ] as const) {
      const bad = await start(pair);
      await expect(findBy(bad, { ca: certificates.caFile })).rejects.toThrow(reason);
    }
  });

  it('cost no more than their time when they never finish the handshake, and leave nothing open', async () => {
    let open = 0;
    const silent = await listen(
      createTcpServer((socket) => {
        open += 1;
        socket.on('error', () => {});
        socket.on('data', () => {});
        socket.on('close', () => {
          open -= 1;
        });
      }),
    );
    await expect(findBy(silent, true, 600)).rejects.toThrow('did not answer in 300 ms');
    await until('nothing is left open', () => open === 0);
  });

  it('are told from a plain Redis', async () => {
    const plain = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => {}).resume();
        socket.end('-ERR unknown command\r\n');
      }),
    );
    await expect(findBy(plain, true)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
