import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { packageFolder } from '../telemetry/package-folder.ts';

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

/** Where the build puts the page. */
const pageFolder = join(packageFolder, 'dist', 'dashboard', 'public');

/** Reads the page; `undefined` when it was not built. */
function readPage(folder: string): ReadonlyMap<string, PageFile> | undefined {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => extname(name) in types);
    const files = names.map((name) => {
      const plain = Buffer.from(readFileSync(join(folder, name)));
      return [name, { type: types[extname(name)] ?? '', plain, gzipped: Buffer.from(gzipSync(plain)) }] as const;
    });
    return names.includes('index.html') ? new Map(files) : undefined;
  } catch {
    // Not there, or half of it.
    return undefined;
  }
}

/**
 * The dashboard: one page at `/` and what it loads from `/assets`. It holds no data, so it needs no token; what it shows it
 * asks the API for. Where the page was not built, `/` says with 503 how to do that.
 */
export function createPage(folder: string = pageFolder): Hono {
  const files = readPage(folder);
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
