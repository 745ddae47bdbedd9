import { isIP } from 'node:net';
import { z } from 'zod';

/** What HAProxy allows in proxy and server names; everything else never reaches a command. */
export const haproxyName = /^[A-Za-z0-9_.:-]{1,200}$/;

const name = z.string().regex(haproxyName, 'expected letters, digits, "_", ".", ":" or "-"');
const port = z.number().int().min(1).max(65_535);

/** Where the Runtime API listens. */
export type SocketAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/**
 * Reads a socket as it stands in the configuration: an absolute path (`unix@` allowed), or `host:port`,
 * `tcp@host:port`, `[v6]:port`. Gives `undefined` for anything else.
 */
export function parseSocket(text: string): SocketAddress | undefined {
  const path = /^(?:unix@)?(\/[^\0\n]+)$/.exec(text)?.[1];
  if (path !== undefined) return Buffer.byteLength(path) < 108 ? { kind: 'unix', path } : undefined;
  const [, v6, host, digits] = /^(?:tcp@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === undefined || !port.safeParse(number).success) return undefined;
  if (v6 !== undefined) return isIP(v6) === 6 ? { kind: 'tcp', host: v6, port: number } : undefined;
  return host === undefined ? undefined : { kind: 'tcp', host, port: number };
}

const backendSchema = z.strictObject({
  /** Name of the backend in haproxy.cfg. */
  name,
  /** What stands after `server-template`; slot 3 of base `web` is server `web3`. */
  baseName: name,
  /** One port for every target, whatever port it was discovered with. */
  port: port.optional(),
  /** Port of the targets whose source knows none. */
  defaultPort: port.default(80),
  /** `primary`: targets of a group in primaryGroups; `fallback`: all others; `all`: both (the AZ limiter of HSDO). */
  accepts: z.enum(['all', 'primary', 'fallback']).default('all'),
});

/** The `haproxy:` block of a service. */
export const haproxySchema = z
  .strictObject({
    /** The Runtime API of every HAProxy to keep in sync: a Unix path, `host:port` or `[v6]:port`. */
    sockets: z
      .array(
        z
          .string()
          .refine(
            (text) => parseSocket(text) !== undefined,
            'expected an absolute path (under 108 bytes), "host:port" or "[v6]:port"',
          ),
      )
      .min(1)
      .default(['/var/run/haproxy/admin.sock']),
    backends: z.array(backendSchema).min(1),
    /** Groups (such as ASG names) whose targets belong in `primary` backends. */
    primaryGroups: z.array(z.string().min(1)).default([]),
    /**
     * Server-state file to keep written, the `server-state-file` of haproxy.cfg. It belongs to the first socket; the
     * second socket's file has `.2` added, and so on. Entries of backends that are not ours are kept.
     */
    stateFile: z
      .string()
      .regex(/^\/[^\0\s]+$/, 'expected an absolute path without white space')
      .optional(),
    /** How often HAProxy's own state is read when nothing changes. */
    pollMs: z.number().int().min(20).max(60_000).default(200),
    /** How long HAProxy may take to connect, or to answer one burst of commands. */
    timeoutMs: z.number().int().min(50).max(60_000).default(2000),
    /** False leaves the weights in HAProxy as they are: its configuration and its operators set them. */
    manageWeights: z.boolean().default(true),
    /** Adds servers at run time when the list is longer than the server-template. They are lost by a reload until re-added. */
    grow: z.boolean().default(false),
  })
  .superRefine((config, context) => {
    const complain = (field: 'sockets' | 'backends', index: number, message: string) =>
      context.addIssue({ code: 'custom', path: [field, index], message });
    const seen = new Set<string>();
    for (const [index, { name: backend }] of config.backends.entries()) {
      if (seen.has(backend)) complain('backends', index, `backend "${backend}" is listed twice; expected once`);
      seen.add(backend);
    }
    for (const [index, socket] of config.sockets.entries()) {
      if (config.sockets.indexOf(socket) !== index)
        complain('sockets', index, `socket "${socket}" is listed twice; expected once`);
    }
  });

export type HaproxyConfig = z.infer<typeof haproxySchema>;
export type BackendConfig = HaproxyConfig['backends'][number];

/** The state file of the socket at `position` (0 is the first), see `stateFile` in the schema. */
export function stateFileOf(config: HaproxyConfig, position: number): string | undefined {
  if (config.stateFile === undefined || position === 0) return config.stateFile;
  return `${config.stateFile}.${position + 1}`;
}
