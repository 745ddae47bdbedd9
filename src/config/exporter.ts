import { z } from 'zod';
import { secret } from '../model/secret.ts';
import { tlsFiles } from './api.ts';

/** What the exporter takes, of servers, clients and agents, but for its address, which has a default of its own in each. */
export const exporterOptions = {
  /** Demanded as `Authorization: Bearer` for everything but health. What a header cannot carry (RFC 9110 section 5.5), nobody could send. */
  token: z
    .string()
    .min(8, 'expected at least 8 characters')
    .regex(/^[!-~]([ -~]*[!-~])?$/, 'expected printable ASCII letters, without spaces at the ends')
    .transform(secret)
    .optional(),
  /** As `api.tls`; but health is told without a certificate, too. */
  tls: tlsFiles.optional(),
};
