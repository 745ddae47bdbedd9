import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../fixtures/until.ts';
import { openPrompt } from './haproxy-prompt.ts';
import { backend } from './thousand.ts';

type Admin = 'ready' | 'drain' | 'maint';

/** Looks at HAProxy every millisecond and tells when the state that somebody set for a server is as expected. */
export interface AdminWatch {
  /** The slot whose server has this address and gets traffic; waits for it. */
  slotOf(address: string): Promise<number>;
  /** The instant, by `performance.now()`, at which HAProxy first answered that the slot's server has this state. */
  seen(slot: number, admin: Admin): Promise<number>;
  stop(): void;
}

interface Row {
  readonly slot: number;
  readonly address: string;
  readonly admin: Admin;
}

/** From the reply to `show servers state`: flags 0x23 of the administrative state are maintenance, 0x18 are drain. */
function rowsOf(reply: string): Row[] {
  const lines = reply.trim().split('\n').slice(1);
  const names = (lines[0] ?? '').replace('# ', '').split(' ');
  const [slot = 0, address = 0, flags = 0] = ['srv_id', 'srv_addr', 'srv_admin_state'].map((name) =>
    names.indexOf(name),
  );
  return lines.slice(1).map((line) => {
    const cells = line.split(' ');
    const admin = Number(cells[flags]);
    return {
      slot: Number(cells[slot]),
      address: cells[address] ?? '',
      admin: (admin & 0x23) !== 0 ? 'maint' : (admin & 0x18) !== 0 ? 'drain' : 'ready',
    };
  });
}

export async function startAdminWatch(socketPath: string): Promise<AdminWatch> {
  const prompt = await openPrompt(socketPath);
  let waiting: { readonly slot: number; readonly admin: Admin; readonly resolve: (at: number) => void }[] = [];
  let rows: readonly Row[] = [];
  let isStopped = false;
  const look = async () => {
    rows = rowsOf((await prompt.batch([`show servers state ${backend}`]))[0] ?? '');
    const at = performance.now();
    const isThere = ({ slot, admin }: { slot: number; admin: Admin }) =>
      rows.some((row) => row.slot === slot && row.admin === admin);
    for (const one of waiting.filter(isThere)) one.resolve(at);
    waiting = waiting.filter((one) => !isThere(one));
  };
  const run = async () => {
    while (!isStopped) {
      await look();
      await delay(1);
    }
  };
  const running = run();
  return {
    slotOf: (address) =>
      until(`a slot of ${address}`, () => rows.find((row) => row.address === address && row.admin === 'ready')?.slot),
    seen: (slot, admin) =>
      new Promise((resolve) => {
        waiting = [...waiting, { slot, admin, resolve }];
      }),
    stop() {
      isStopped = true;
      void running.finally(() => prompt.close());
    },
  };
}
