import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HsdoDnsOrder } from './hsdo-process.ts';
import { type DnsServer, host, serverCore, startServer } from './servers.ts';
import type { BenchZone } from './zone.ts';

export interface HsdoOptions extends Pick<HsdoDnsOrder, 'transport' | 'forwardTo' | 'deed'> {
  /** What it knows itself. */
  readonly zone: BenchZone;
  /** What it must answer for before it is measured; default: its own zone. */
  readonly asked?: BenchZone;
}

/** hsdo's responder on the processor of the servers. */
export function startHsdoDns({ asked, ...options }: HsdoOptions): Promise<DnsServer> {
  return startServer(asked ?? options.zone, serverCore, (folder, port) => {
    const order: HsdoDnsOrder = { ...options, host, port };
    writeFileSync(join(folder, 'order.json'), JSON.stringify(order));
    const file = join(import.meta.dirname, 'hsdo-process.ts');
    return [process.execPath, '--import', import.meta.resolve('tsx'), file, join(folder, 'order.json')];
  });
}
