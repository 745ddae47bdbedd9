import { z } from 'zod';
import type { Store } from '../store/store.ts';

const count = z.int().min(0);
const manualSlot = z.object({ backend: z.string(), slot: count, state: z.enum(['drain', 'maint']) });

/** A report, as it is kept and shown. */
export const reportSchema = z.object({
  client: z.string().max(200),
  service: z.string().max(64),
  /** Wall-clock milliseconds of the client. */
  at: z.number().min(0),
  /** Revision of the snapshot that the client delivers. */
  revision: count,
  sockets: z.array(
    z.object({
      socket: z.string(),
      isUp: z.boolean(),
      error: z.string().optional(),
      drift: count,
      missing: z.array(z.object({ backend: z.string(), slots: z.array(count) })),
      manual: z.array(manualSlot),
    }),
  ),
});

/** What one client says about the HAProxies that it keeps: how hsdo's own view reaches `hsdo status`. */
export type Report = z.infer<typeof reportSchema>;

const root = 'client/';
const keyOf = ({ client, service }: Report) => `${root}${encodeURIComponent(client)}/${service}`;

export interface Reports {
  write(report: Report, signal: AbortSignal): Promise<void>;
  /** Every client's last report, unless it is older than `sinceAt`; what cannot be read is left out. */
  list(sinceAt: number, signal: AbortSignal): Promise<readonly Report[]>;
  /** Takes a report back, as a client that ends does. */
  withdraw(report: Report, signal: AbortSignal): Promise<void>;
  /** Removes what was left by clients that never came back. */
  removeOlderThan(at: number, signal: AbortSignal): Promise<void>;
}

export function createReports(store: Store): Reports {
  const read = async (signal: AbortSignal) => {
    const entries = await store.list(root, signal);
    return entries.map(({ key, value, version }) => ({ key, version, report: parse(value) }));
  };
  return {
    async write(report, signal) {
      await store.commit([{ op: 'put', key: keyOf(report), value: JSON.stringify(report) }], signal);
    },
    async list(sinceAt, signal) {
      return (await read(signal)).flatMap(({ report }) => (report && report.at >= sinceAt ? [report] : []));
    },
    async withdraw(report, signal) {
      await store.commit([{ op: 'delete', key: keyOf(report) }], signal);
    },
    async removeOlderThan(at, signal) {
      for (const { key, version, report } of await read(signal)) {
        if (report === undefined || report.at >= at) continue;
        await store.commit([{ op: 'delete', key, expect: version }], signal);
      }
    },
  };
}

function parse(value: string): Report | undefined {
  try {
    return reportSchema.parse(JSON.parse(value));
  } catch {
    return undefined;
  }
}
