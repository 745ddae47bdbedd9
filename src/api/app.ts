import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { describeError, hasCode } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import { overrides } from '../model/slot.ts';
import { access } from './access.ts';
import type { View } from './view.ts';

const releaseBody = z.strictObject({ token: z.string().min(1).max(200) });
const overrideBody = z.strictObject({ target: z.string().min(1).max(255), state: z.enum(overrides) });

const by = (context: Context) => (context.req.header('x-hsdo-user') ?? 'api').slice(0, 100);

async function body<T>(context: Context, schema: z.ZodType<T>): Promise<{ value: T } | { fault: string }> {
  const raw: unknown = await context.req.json().catch(() => undefined);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return { value: parsed.data };
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { fault: faults.join('; ') };
}

/** The HTTP API: questions by GET, changes by POST and DELETE; errors as `{error}` that says what was expected. */
export function createApp(view: View, token: Secret | undefined): Hono {
  const app = new Hono();
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => {
    const problems = view.problems();
    return context.json(
      { status: problems.length === 0 ? 'ready' : 'not ready', problems },
      problems.length === 0 ? 200 : 503,
    );
  });
  app.use('/api/*', access(token));
  app.use(
    '/api/*',
    bodyLimit({
      maxSize: 16 * 1024,
      onError: (context) => context.json({ error: 'expected a body of at most 16 KiB' }, 413),
    }),
  );
  app.get('/api/v1/status', async (context) => context.json(await view.status()));
  app.get('/api/v1/services/:service', async (context) => {
    const service = context.req.param('service');
    const detail = await view.service(service);
    return detail
      ? context.json(detail)
      : context.json({ error: `no service is called ${JSON.stringify(service)}` }, 404);
  });
  app.delete('/api/v1/observers/:observer', async (context) => {
    await view.decommission(context.req.param('observer'), by(context));
    return context.json({ status: 'done' });
  });
  app.get('/api/v1/services/:service/slots', async (context) => {
    const service = context.req.param('service');
    const slots = await view.slots(service);
    return slots
      ? context.json({ service, slots })
      : context.json({ error: `no service is called ${JSON.stringify(service)}` }, 404);
  });
  app.post('/api/v1/services/:service/hold/release', async (context) => {
    const parsed = await body(context, releaseBody);
    if ('fault' in parsed) return context.json({ error: parsed.fault }, 422);
    await view.releaseHold(context.req.param('service'), parsed.value.token, by(context));
    return context.json({ status: 'asked' }, 202);
  });
  app.post('/api/v1/services/:service/primary/forget', async (context) => {
    await view.forgetPrimary(context.req.param('service'), by(context));
    return context.json({ status: 'asked' }, 202);
  });
  app.post('/api/v1/services/:service/overrides', async (context) => {
    const parsed = await body(context, overrideBody);
    if ('fault' in parsed) return context.json({ error: parsed.fault }, 422);
    const { target, state } = parsed.value;
    await view.override(context.req.param('service'), target, state, by(context));
    return context.json({ status: 'asked' }, 202);
  });
  app.delete('/api/v1/services/:service/overrides/:target', async (context) => {
    await view.override(context.req.param('service'), context.req.param('target'), undefined, by(context));
    return context.json({ status: 'asked' }, 202);
  });
  app.notFound((context) => context.json({ error: `no such address: ${context.req.method} ${context.req.path}` }, 404));
  app.onError((error, context) => {
    const status = hasCode(error, 'rejected') ? 409 : 503;
    return context.json({ error: describeError(error) }, status);
  });
  return app;
}
