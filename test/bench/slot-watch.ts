import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../fixtures/until.ts';
import { openPrompt } from './haproxy-prompt.ts';
import { backend } from './thousand.ts';

/** Looks at HAProxy every millisecond and tells when a slot is as expected. */
export interface SlotWatch {
  /** The slot whose server has this address and is not in maintenance; waits for it. */
  slotOf(address: string): Promise<number>;
  /** Waits until `count` servers are out of maintenance. */
  taken(count: number): Promise<void>;
  /**
   * The instant, by `performance.now()`, at which HAProxy first answered that the slot's server takes part with this
   * address, or, for `undefined`, that it is in maintenance.
   */
  seen(slot: number, address: string | undefined): Promise<number>;
  stop(): void;
}

interface Row {
  readonly slot: number;
  readonly address: string | undefined;
}

/** Address and slot of each server that is out of maintenance, from the reply to `show servers state`. */
function rowsOf(reply: string): Row[] {
  const lines = reply.trim().split('\n').slice(1);
  const names = (lines[0] ?? '').replace('# ', '').split(' ');
  const [slot, address, admin] = ['srv_id', 'srv_addr', 'srv_admin_state'].map((name) => names.indexOf(name));
  return lines.slice(1).map((line) => {
    const cells = line.split(' ');
    const isOut = (Number(cells[admin ?? -1]) & 0x23) !== 0;
    return { slot: Number(cells[slot ?? -1]), address: isOut ? undefined : cells[address ?? -1] };
  });
}

/** The same for one server from `show stat`, a reply of one line instead of a thousand. */
function addressIn(reply: string): string | undefined {
  const [header = '', row = ''] = reply.trim().split('\n');
  const names = header.replace('# ', '').split(',');
  const cells = row.split(',');
  const status = cells[names.indexOf('status')] ?? '';
  return status.startsWith('MAINT') ? undefined : cells[names.indexOf('addr')]?.replace(/:\d+$/, '');
}

export async function startSlotWatch(socketPath: string): Promise<SlotWatch> {
  const prompt = await openPrompt(socketPath);
  const overview = await openPrompt(socketPath);
  let watches: { slot: number; address: string | undefined; resolve: (at: number) => void }[] = [];
  let isStopped = false;

  const rows = async () => rowsOf((await overview.batch([`show servers state ${backend}`]))[0] ?? '');
  const look = async () => {
    const asked = watches;
    const replies = await prompt.batch(asked.map(({ slot }) => `show stat ${backend} 4 ${slot}`));
    const at = performance.now();
    for (const [position, watch] of asked.entries()) {
      if (addressIn(replies[position] ?? '') !== watch.address) continue;
      watches = watches.filter((other) => other !== watch);
      watch.resolve(at);
    }
  };
  const run = async () => {
    while (!isStopped) {
      if (watches.length > 0) await look();
      await delay(1);
    }
  };
  const running = run();
  return {
    async slotOf(address) {
      return until(`a slot of ${address}`, async () => (await rows()).find((row) => row.address === address)?.slot);
    },
    async taken(count) {
      const settled = async () => (await rows()).filter(({ address }) => address !== undefined).length === count;
      await until(`${count} slots are taken`, settled, { timeoutMs: 60_000, everyMs: 50 });
    },
    seen: (slot, address) =>
      new Promise((resolve) => {
        watches = [...watches, { slot, address, resolve }];
      }),
    stop() {
      isStopped = true;
      void running.finally(() => {
        prompt.close();
        overview.close();
      });
    },
  };
}
