import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import program from '../../../vite.config.ts';
import type { HsdoDnsOrder } from './hsdo-process.ts';
import { type DnsServer, host, serverCore, startServer } from './servers.ts';
import type { BenchZone } from './zone.ts';

export interface HsdoOptions extends Pick<HsdoDnsOrder, 'transport' | 'forwardTo' | 'deed'> {
  /** What it knows itself. */
  readonly zone: BenchZone;
  /** What it must answer for before it is measured; default: its own zone. */
  readonly asked?: BenchZone;
}

const name = 'hsdo-process';
/** Below the clone, where packages are found; its thread is the one of dist. */
const outDir = join(import.meta.dirname, '..', '..', '..', 'dist.bench');
let built: Promise<unknown> | undefined;

/** Builds the process as the program is built: what loads the sources in the tree makes them slower than what is shipped. */
async function buildProcess(): Promise<string> {
  const { build } = await import('vite');
  const { output } = program.build.rolldownOptions;
  const rolldownOptions = { input: { [name]: join(import.meta.dirname, `${name}.ts`) }, output };
  built ??= build({
    ...{ ...program, configFile: false, logLevel: 'warn' },
    build: { ...program.build, rolldownOptions, outDir, emptyOutDir: true },
  });
  await built;
  return join(outDir, `${name}.js`);
}

/** hsdo's responder on the processor of the servers. */
export async function startHsdoDns({ asked, ...options }: HsdoOptions): Promise<DnsServer> {
  const file = await buildProcess();
  return startServer(asked ?? options.zone, serverCore, (folder, port) => {
    const order: HsdoDnsOrder = { ...options, host, port };
    writeFileSync(join(folder, 'order.json'), JSON.stringify(order));
    return [process.execPath, file, join(folder, 'order.json')];
  });
}
