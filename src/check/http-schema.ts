import { isIP } from 'node:net';
import { z } from 'zod';
import { secret } from '../model/secret.ts';
import { checkPort, commonOptions } from './health-check.ts';

const longestPath = 8192;
const longestBodyBytes = 1_048_576;

/** What the check writes itself: another value would break the framing of the request (RFC 9112 sections 6 and 9). */
const ownHeaders: readonly string[] = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** True for what may stand in a Host header: a name, an IPv4 address or an IPv6 address in brackets, with or without a port. */
export function isHost(text: string): boolean {
  const pattern = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?)(:\d{1,5})?$/i;
  return pattern.test(text) && URL.canParse(`http://${text}/`);
}

const pathSchema = z
  .string()
  .max(longestPath)
  .regex(/^\/[!"$-~]*$/, 'expected a path that starts with / , without spaces and #, other letters as %XX');

const urlSchema = z
  .string()
  .max(longestPath)
  .refine((text) => /^https?:\/\/[!-~]+$/i.test(text) && URL.canParse(text), 'expected an http:// or https:// URL')
  .refine((text) => {
    if (!URL.canParse(text)) return true;
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'expected a URL without user and password: credentials belong into headers');

const serverNameSchema = z
  .string()
  .regex(/^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/i, 'expected a DNS name')
  .refine((text) => isIP(text) === 0, 'expected a name: no address may be sent as server name (RFC 6066 section 3)');

/** Any of them may be a credential, so all are secrets. The grammar is RFC 9110 section 5. */
const headersSchema = z
  .record(
    z.string(),
    z
      .union([z.string().max(longestPath), z.number()])
      .transform(String)
      .refine((text) => /^[\t -~\xa0-\xff]*$/.test(text), 'expected printable text without line breaks')
      .transform(secret),
  )
  .superRefine((headers, context) => {
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(headers)) {
      const complain = (message: string) => context.addIssue({ code: 'custom', path: [name], message });
      const lowerCase = name.toLowerCase();
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]{1,256}$/.test(lowerCase)) complain('expected the name of a header');
      if (ownHeaders.includes(lowerCase)) complain('expected no header that the check writes itself');
      if (seen.has(lowerCase)) complain('expected each header once');
      if (lowerCase === 'host' && !isHost(value.reveal())) complain('expected a host name, with or without a port');
      seen.add(lowerCase);
    }
  });

const codesSchema = z
  .union([z.string(), z.int()])
  .transform(String)
  .refine(
    (text) => text.split(',').every((part) => /^[1-5X][0-9X]{2}$/i.test(part.trim())),
    'expected codes from 100 to 599 such as 200 or 200,3XX',
  );

const targetSchema = z
  .strictObject({ url: urlSchema.optional(), port: checkPort, path: pathSchema.optional() })
  .refine(({ url, port, path }) => url === undefined || (port ?? path) === undefined, {
    path: ['url'],
    message: 'expected either url or port and path',
  });

/** Options of the check `http`; names and defaults follow dhaf's web check. */
export const httpSchema = z
  .strictObject({
    kind: z.literal('http'),
    ...commonOptions,
    retries: z.int().min(0).max(10).default(2),
    scheme: z.enum(['http', 'https']).default('http'),
    method: z.enum(['GET', 'POST', 'HEAD']).default('GET'),
    /** Default is the target's own port, then the scheme's. */
    port: checkPort,
    path: pathSchema.default('/'),
    headers: headersSchema.default({}),
    /** Sent with POST; as text/plain unless the headers name a Content-Type. */
    body: z.string().max(65_536).transform(secret).optional(),
    /** At most 5, never from https to http; without {@link followToOtherHosts} only those that stay at the target. */
    followRedirects: z.boolean().default(false),
    followToOtherHosts: z.boolean().default(false),
    /** In the form `111,222,3XX`, where X is any digit. */
    expectedCodes: codesSchema.default('200'),
    /** Text that the body must contain; upper and lower case are the same. */
    expectedBody: z.string().min(1).max(65_536).optional(),
    /** The longest part of a body that is read, and so the part that `expectedBody` is looked for in. */
    maxBodyBytes: z.int().min(1).max(longestBodyBytes).default(65_536),
    ignoreTlsErrors: z.boolean().default(false),
    /** The name that is sent to the server (SNI) and that its certificate must be for; default is the Host's name. */
    serverName: serverNameSchema.optional(),
    /** File of certificates in PEM form which are believed instead of the system's; it is read at the first check. */
    ca: z.string().min(1).optional(),
    /** Sends the service's domain as Host, unless the headers hold one. */
    forwardDomain: z.boolean().default(true),
    /** By a target's id, name or address (the first that is found): a URL, or port and path, of its own. */
    targets: z.record(z.string().min(1), targetSchema).default({}),
  })
  .superRefine((config, context) => {
    const complain = (name: string, message: string) => context.addIssue({ code: 'custom', path: [name], message });
    if (config.body !== undefined && config.method !== 'POST') complain('body', 'expected a body only with POST');
    if (config.expectedBody !== undefined && config.method === 'HEAD')
      complain('expectedBody', 'expected GET or POST: the answer to HEAD has no body');
    if (config.followToOtherHosts && !config.followRedirects)
      complain('followToOtherHosts', 'expected followRedirects: true beside it');
  });

export type HttpConfig = z.output<typeof httpSchema>;

/** Every code that text in the form `111,222,3XX` stands for. */
export function codesOf(text: string): ReadonlySet<number> {
  const patterns = text.split(',').map((part) => new RegExp(`^${part.trim().replaceAll(/x/gi, '\\d')}$`));
  const codes = Array.from({ length: 500 }, (_, index) => 100 + index);
  return new Set(codes.filter((code) => patterns.some((pattern) => pattern.test(String(code)))));
}
