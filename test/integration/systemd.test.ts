import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { type NotifyReceiver, startNotifyReceiver } from '../fixtures/notify-receiver.ts';
import { freePort } from '../fixtures/ports.ts';
import { until } from '../fixtures/until.ts';

const watchdogMs = 1000;
/** Blocks the whole process for good once its file is there, as a bug could. */
const blocking = (file: string) => `
  import { existsSync } from 'node:fs';
  export const createCheck = () => ({
    async check() {
      while (existsSync(${JSON.stringify(file)}));
      return true;
    },
  });
`;

describeWith(['/usr/bin/python3'], 'a process under systemd', () => {
  let receiver: NotifyReceiver;
  let hsdo: Hsdo;
  const pings = () => receiver.lines('WATCHDOG=1').length;

  beforeAll(async () => {
    receiver = await startNotifyReceiver();
    const module = join(receiver.name, '..', 'check.mjs');
    await writeFile(module, blocking(join(receiver.name, '..', 'block')));
    const service = {
      name: 'web',
      source: { kind: 'file', path: join(receiver.name, '..', 'targets.yaml') },
      check: { kind: 'module', path: module, intervalSeconds: 0.1 },
      size: 3,
    };
    const dns = { listen: [`127.0.0.1:${await freePort()}`], domain: 'hsdo.test', forward: undefined };
    hsdo = await startHsdo({
      role: 'server',
      nodeId: 'n1',
      config: { intervalSeconds: 0.1, services: [service], dns },
      env: { NOTIFY_SOCKET: receiver.name, WATCHDOG_USEC: String(watchdogMs * 1000), WATCHDOG_PID: '' },
    });
  }, 90_000);
  afterAll(async () => {
    await hsdo?.kill();
    await hsdo?.remove();
    await receiver?.stop();
  });

  it('is ready when every role does its work and not before, and says what it waits for', async () => {
    await until('it says what is missing', () =>
      receiver.lines('STATUS=').find((line) => line.includes('source "web/file"')),
    );
    expect(receiver.lines('READY')).toEqual([]);
    expect(receiver.lines('EXTEND_TIMEOUT_USEC').length).toBeGreaterThan(0);
    expect((await fetch(`${hsdo.api}/readyz`)).status).toBe(503);
    await writeFile(join(receiver.name, '..', 'targets.yaml'), '["127.0.0.1:1", "127.0.0.1:2"]');
    await until('it is ready', () => receiver.lines('READY=1').length === 1);
    expect((await fetch(`${hsdo.api}/readyz`)).status).toBe(200);
    await until('its state in a line', () =>
      receiver.lines('STATUS=').includes('STATUS=server leads in epoch 1, dns answers for 1 service - all is well'),
    );
    expect(new Set(receiver.heard().map(({ pid }) => pid))).toEqual(new Set([hsdo.pid()]));
  });

  it('says that it stops', async () => {
    const code = await hsdo.stop();
    expect(code).toBe(0);
    expect(receiver.heard().at(-1)?.lines).toEqual(['STOPPING=1', 'STATUS=stopping']);
    await hsdo.start();
    await until('it is ready again', () => receiver.lines('READY=1').length === 2);
  });

  it('gives no sign of life any more when something blocks it for good', async () => {
    await until('it lives', () => pings() > 4);
    await writeFile(join(receiver.name, '..', 'block'), '');
    await until('the API is blocked', async () => {
      const answer = fetch(`${hsdo.api}/healthz`, { signal: AbortSignal.timeout(500) });
      return answer.then(
        () => false,
        () => true,
      );
    });
    const before = pings();
    await expect(until('a sign of life', () => pings() > before, { timeoutMs: 2 * watchdogMs })).rejects.toThrow();
  });
});
