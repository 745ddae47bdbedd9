import { z } from 'zod';
import { secret } from '../model/secret.ts';

const path = z.string().min(1);

/** PEM files of a listener; read again when they change. With `ca`, who connects has to show a certificate of it. */
export const tlsFiles = z.strictObject({ cert: path, key: path, ca: path.optional() });

/** What opens the API; in the environment (API_TOKEN), in a file, or as it stands. */
const apiToken = z.string().min(8, 'expected at least 8 characters').transform(secret);

/** What the API takes, but for the addresses, which are part of the schema of the whole. */
export const apiOptions = {
  /** For everybody; it may do everything. */
  token: apiToken.optional(),
  /** One for each who may use it, by the name that the audit has. */
  tokens: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9_.:@-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ . : @ -'),
        /** `read` asks, `operate` changes as well. */
        role: z.enum(['read', 'operate']),
        token: apiToken,
      }),
    )
    .max(1000)
    .default([]),
  tls: tlsFiles.optional(),
  /** The longest body that is read. */
  maxBodyBytes: z.int().min(1024).max(1_048_576).default(16_384),
};
