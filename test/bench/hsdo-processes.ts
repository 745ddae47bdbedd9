import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, startProgram } from '../fixtures/program.ts';
import { backend, slotCount } from './thousand.ts';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** hsdo as it is shipped: a server and clients as processes, which meet in the store alone. */
export interface Hsdo {
  readonly server: Program;
  readonly client: Program;
  stop(): Promise<void>;
}

export interface HsdoOptions {
  readonly source: Readonly<Record<string, unknown>>;
  /** Default: none, so that nothing is judged. */
  readonly check?: Readonly<Record<string, unknown>>;
  readonly socketPath: string;
  /** Slots of the list; default 1000. */
  readonly size?: number;
  /** Default: the embedded store. */
  readonly store?: Readonly<Record<string, unknown>>;
  /** The client's own way to the store; default: the same as the server's. */
  readonly clientStore?: Readonly<Record<string, unknown>>;
  readonly intervalSeconds?: number;
}

/** Everything as it is by default, but for the size, a drain that ends at once, and weights that do not grow meanwhile. */
function configOf(folder: string, options: HsdoOptions, store: HsdoOptions['store']) {
  const { source, check, socketPath, size = slotCount, intervalSeconds } = options;
  const haproxy = { sockets: [socketPath], backends: [{ name: backend, baseName: 'web' }] };
  return {
    services: [
      {
        name: 'web',
        size,
        source,
        ...(check ? { check } : {}),
        weight: { min: 10, max: 10 },
        drainSeconds: 0,
        haproxy,
      },
    ],
    stateDirectory: join(folder, 'state'),
    exporter: { listen: 'off' },
    api: { listen: 'off' },
    log: { format: 'json' },
    ...(store ? { store } : {}),
    ...(intervalSeconds === undefined ? {} : { intervalSeconds }),
  };
}

/**
 * Starts both.
 *
 * @throws Error when hsdo is not built.
 */
export async function startHsdo(options: HsdoOptions): Promise<Hsdo> {
  if (!existsSync(main)) throw new Error(`there is no ${main}; "npm run bench" builds it`);
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-bench-'));
  const run = async (role: 'server' | 'client', store: HsdoOptions['store']) => {
    const path = join(folder, `${role}.yaml`);
    // JSON is YAML too.
    await writeFile(path, JSON.stringify(configOf(folder, options, store)));
    return startProgram(process.execPath, [main, `--${role}`, '--config', path]);
  };
  const server = await run('server', options.store);
  const client = await run('client', options.clientStore ?? options.store);
  return {
    server,
    client,
    async stop() {
      await Promise.all([client.stop(), server.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
