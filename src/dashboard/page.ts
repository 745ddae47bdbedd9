import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';

/** One file of the built page. */
interface PageFile {
  readonly type: string;
  readonly plain: Buffer<ArrayBuffer>;
  readonly gzipped: Buffer<ArrayBuffer>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing but what comes with the page, and no page around it (CSP Level 3). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'accept-encoding',
};

/** Where the build has put the page: beside this file in dist, or in dist when the sources run. */
export const pageFolders: readonly string[] = [
  join(import.meta.dirname, 'public'),
  join(import.meta.dirname, '..', '..', 'dist', 'dashboard', 'public'),
];

/** Reads the page from the first of the folders that has it; `undefined` when it was not built. */
function readPage(folders: readonly string[]): ReadonlyMap<string, PageFile> | undefined {
  for (const folder of folders) {
    try {
      const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => extname(name) in types);
      const files = names.map((name) => {
        const plain = Buffer.from(readFileSync(join(folder, name)));
        return [name, { type: types[extname(name)] ?? '', plain, gzipped: Buffer.from(gzipSync(plain)) }] as const;
      });
      if (names.includes('index.html')) return new Map(files);
    } catch {
      // Not there, or half of it: the next one, or none.
    }
  }
  return undefined;
}

/**
 * The dashboard: one page at `/` and what it loads from `/assets`. It holds no data, so it needs no token; what it shows it
 * asks the API for. Where the page was not built, `/` says with 503 how to do that.
 */
export function createPage(folders: readonly string[] = pageFolders): Hono {
  const files = readPage(folders);
  const page = new Hono();
  page.get('/', (context) => {
    const index = files?.get('index.html');
    if (index) return answer(index, context.req.header('accept-encoding'), 'no-cache');
    return context.text('The dashboard was not built: npm run build\n', 503);
  });
  page.get('/assets/:name', async (context, next) => {
    const file = files?.get(`assets/${context.req.param('name')}`);
    // The build names them by what is in them, so what was read once is never another.
    if (file) return answer(file, context.req.header('accept-encoding'), 'public, max-age=31536000, immutable');
    return next();
  });
  return page;
}

function answer({ type, plain, gzipped }: PageFile, accepted: string | undefined, caching: string): Response {
  const isGzip = /\bgzip\b/.test(accepted ?? '');
  return new Response(isGzip ? gzipped : plain, {
    headers: {
      ...headers,
      'content-type': type,
      'cache-control': caching,
      ...(isGzip ? { 'content-encoding': 'gzip' } : {}),
    },
  });
}
