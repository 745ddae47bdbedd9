import { z } from 'zod';
import type { Store } from '../store/store.ts';

const manualSlot = z.object({ backend: z.string(), slot: z.number(), state: z.enum(['drain', 'maint']) });

const reportRecord = z.object({
  client: z.string().max(200),
  service: z.string().max(64),
  /** Wall-clock milliseconds of the client. */
  at: z.number(),
  /** Revision of the snapshot that the client delivers. */
  revision: z.number(),
  sockets: z.array(
    z.object({
      socket: z.string(),
      isUp: z.boolean(),
      error: z.string().optional(),
      drift: z.number(),
      missing: z.array(z.object({ backend: z.string(), slots: z.array(z.number()) })),
      manual: z.array(manualSlot),
    }),
  ),
});

/** What one client says about the HAProxies that it keeps: how hsdo's own view reaches `hsdo status`. */
export type Report = z.infer<typeof reportRecord>;

const root = 'client/';
const keyOf = ({ client, service }: Report) => `${root}${encodeURIComponent(client)}/${service}`;

export interface Reports {
  write(report: Report, signal: AbortSignal): Promise<void>;
  /** Every client's last report; what cannot be read is left out. */
  list(signal: AbortSignal): Promise<readonly Report[]>;
}

export function createReports(store: Store): Reports {
  return {
    async write(report, signal) {
      await store.commit([{ op: 'put', key: keyOf(report), value: JSON.stringify(report) }], signal);
    },
    async list(signal) {
      const entries = await store.list(root, signal);
      return entries.flatMap(({ value }) => {
        try {
          return [reportRecord.parse(JSON.parse(value))];
        } catch {
          return [];
        }
      });
    },
  };
}
