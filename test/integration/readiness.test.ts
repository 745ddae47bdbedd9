import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import { until } from '../fixtures/until.ts';

interface Ready {
  readonly status: string;
  readonly problems: readonly { readonly part: string; readonly message: string }[];
}

describe('a process of several roles whose store is away when it starts', () => {
  let folder: string;
  let hsdo: Hsdo;
  const ask = async (base: string, path: string) => {
    const response = await fetch(`${base}${path}`);
    return { code: response.status, content: (await response.json()) as Ready };
  };
  const parts = ({ problems }: Ready) => problems.map(({ part }) => part);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-ready-'));
    // A file where the folder of the store should be keeps it from being opened.
    await writeFile(join(folder, 'store'), '');
    const haproxy = { sockets: [join(folder, 'admin.sock')], backends: [{ name: 'web', baseName: 'web', port: 80 }] };
    hsdo = await startHsdo({
      role: 'both',
      nodeId: 'n1',
      env: { EXPORTER_TOKEN: 'token-of-prometheus' },
      config: {
        intervalSeconds: 0.1,
        store: { kind: 'sqlite', path: join(folder, 'store', 'hsdo.db') },
        services: [{ name: 'web', source: { kind: 'static', targets: ['127.0.0.1:1'] }, size: 3, haproxy }],
        dns: { listen: [`127.0.0.1:${await freePort()}`], domain: 'hsdo.test' },
      },
    });
  }, 90_000);
  afterAll(async () => {
    await hsdo?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('lives, and names what keeps each role from its work, over the API and the exporter alike', async () => {
    expect((await fetch(`${hsdo.exporter}/metrics`)).status).toBe(401);
    for (const base of [hsdo.api, hsdo.exporter]) {
      expect((await ask(base, '/healthz')).code).toBe(200);
      const { code, content } = await ask(base, '/readyz');
      expect({ code, status: content.status }).toEqual({ code: 503, status: 'not ready' });
      expect(parts(content)).toEqual([
        'store',
        'service "web"',
        `HAProxy at ${join(folder, 'admin.sock')}`,
        'DNS of service "web"',
      ]);
      expect(content.problems[0]?.message).toContain(join(folder, 'store'));
    }
    const { code, stdout } = await hsdo.cli('status', '--exit-code');
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: expect.stringContaining('no list was ever published') as string,
    });
    expect((await fetch(`${hsdo.api}/api/v1/services`)).status).toBe(503);
  });

  it('goes on as usual when the store is there, and names what is left', async () => {
    await rm(join(folder, 'store'));
    await mkdir(join(folder, 'store'));
    await until('the list is published', async () => (await hsdo.slots('web')).some(({ state }) => state === 'taken'));
    await until('HAProxy alone is missing', async () => {
      const { content } = await ask(hsdo.api, '/readyz');
      return parts(content).join() === `HAProxy at ${join(folder, 'admin.sock')}`;
    });
    expect(parts((await ask(hsdo.exporter, '/readyz')).content)).toHaveLength(1);
    const { roles, problems } = await hsdo.status();
    expect(roles).toEqual(['server', 'client', 'dns']);
    expect(problems).toHaveLength(1);
  });
});
