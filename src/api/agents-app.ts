import { type Context, Hono } from 'hono';
import { agentPaths, type Receipt, tokenHeader } from '../agent/wire.ts';
import { describeError, HsdoError } from '../model/error.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Clock } from '../time/clock.ts';
import { isLoopbackHost } from './access.ts';
import { createGrants } from './agents-access.ts';
import { createIntake, type Judged } from './agents-intake.ts';
import type { AgentService, AgentsView } from './agents-view.ts';
import { createRateLimit } from './rate-limit.ts';
import { addressOf, boundedBody, bugWords } from './request.ts';

export interface AgentsAppParts {
  readonly view: AgentsView;
  readonly maxBodyBytes: number;
  readonly requestsPerSecond: number;
  readonly metrics: Pick<Metrics, 'agentApiRequests' | 'agentApiReports'>;
  readonly clock: Clock;
  /** Told of what should never be thrown. */
  readonly onBug: (error: unknown) => void;
}

type Variables = { Variables: { services: ReadonlySet<AgentService> } };
type Status = 403 | 404 | 422 | 429 | 503;

/** After a pause so many seconds' worth of requests may come at once. */
const burstSeconds = 4;
const maxReports = 1000;
const retrySeconds = 1;

/**
 * The HTTP API for agents, wire for wire PyFailoverDNS's (`agent/wire.ts`): tasks, reports and the state of the domains,
 * errors as `{detail}`. A key opens the services whose token it is. Floods are refused before anything of them is read.
 */
export function createAgentsApp(parts: AgentsAppParts): Hono<Variables> {
  const { view, maxBodyBytes, clock } = parts;
  const app = new Hono<Variables>();
  guard(app, parts);
  app.use(
    '*',
    boundedBody(maxBodyBytes, (detail) => ({ detail })),
  );
  app.get(agentPaths.tasks, (context) => {
    const tags = new Set((context.req.query('tags') ?? '').split(',').map((tag) => tag.trim()));
    const wanted = [...context.get('services')].filter(
      (one) => one.tags.length === 0 || one.tags.some((t) => tags.has(t)),
    );
    const tasks = wanted.map((service) => view.tasks(service));
    if (tasks.includes(undefined)) return refuse(context, 503, 'the targets are not known yet; ask again');
    return context.json({ tasks: tasks.flatMap((some) => some ?? []) });
  });
  const intake = createIntake(view);
  app.post(agentPaths.report, async (context) => {
    const raw: unknown = await context.req.json().catch(() => undefined);
    if (raw === undefined) return refuse(context, 422, 'expected a report, or a list of reports, as JSON');
    const reports: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
    if (reports.length > maxReports) {
      return refuse(context, 422, `expected at most ${maxReports} reports, not ${reports.length}`);
    }
    const judged: Judged[] = [];
    for (const report of reports) judged.push(await intake(report, context.get('services')));
    for (const { outcome } of judged) parts.metrics.agentApiReports.inc({ outcome });
    return answer(context, judged, clock.now() / 1000);
  });
  app.get(agentPaths.status, async (context) =>
    context.json({ status: await Promise.all([...context.get('services')].map((service) => view.status(service))) }),
  );
  app.get(`${agentPaths.status}/:domain`, async (context) => {
    const domain = context.req.param('domain').replace(/\.$/, '').toLowerCase();
    const service = [...context.get('services')].find((one) => one.domain === domain);
    if (service) return context.json(await view.detail(service));
    return refuse(context, 404, `no service that this token opens is known by ${JSON.stringify(domain)}`);
  });
  app.notFound((context) => refuse(context, 404, `no such address: ${context.req.method} ${context.req.path}`));
  app.onError((error, context) => {
    if (error instanceof HsdoError) return refuse(context, 503, describeError(error));
    parts.onBug(error);
    return context.json({ detail: bugWords }, 500);
  });
  return app;
}

/** What comes before every answer: it is counted, a flood ends here, and the key is looked at. */
function guard(app: Hono<Variables>, { view, metrics, requestsPerSecond, clock }: AgentsAppParts): void {
  const burst = Math.max(1, requestsPerSecond * burstSeconds);
  const limit = createRateLimit({ perSecond: requestsPerSecond, burst, clock });
  const grantOf = createGrants(view.services);
  app.use('*', async (context, next) => {
    await next();
    metrics.agentApiRequests.inc({ path: labelOf(context.req.path), code: context.res.status });
  });
  app.use('*', async (context, next) => {
    const waitSeconds = limit.take(addressOf(context));
    if (waitSeconds === 0) return next();
    const detail = `more than ${requestsPerSecond} requests in a second come from this address`;
    return refuse(context, 429, detail, Math.ceil(waitSeconds));
  });
  app.use('*', async (context, next) => {
    const grant = grantOf(context.req.header(tokenHeader));
    if ('refusal' in grant) return refuse(context, 403, grant.refusal);
    if (grant.isOpen && !isLoopbackHost(context.req.header('host'))) {
      return refuse(context, 403, 'expected a loopback name as Host, since no token is configured');
    }
    // Without a token a page open in a browser must not get in: a form cannot say that it sends JSON.
    const isJson = context.req.header('content-type')?.toLowerCase().startsWith('application/json');
    if (grant.isOpen && context.req.method !== 'GET' && !isJson) {
      return context.json({ detail: 'expected Content-Type: application/json' }, 415);
    }
    context.set('services', grant.services);
    return next();
  });
}

const again = (seconds: number) => ({ 'retry-after': String(seconds) });

function refuse(context: Context, code: Status, detail: string, seconds = retrySeconds): Response {
  const isForNow = code === 429 || code === 503;
  return context.json({ detail }, code, isForNow ? again(seconds) : {});
}

/** One report, or all of a list refused: the code of the first. Else 200, and what was refused by its place. */
function answer(context: Context, judged: readonly Judged[], serverTime: number): Response {
  const refused = judged.flatMap((one, index) =>
    one.code === undefined ? [] : [{ index, code: one.code, error: one.error }],
  );
  const accepted = judged.length - refused.length;
  const more = { accepted, refused, server_time: serverTime };
  const [first] = refused;
  if (first !== undefined && accepted === 0) {
    const headers = first.code === 429 || first.code === 503 ? again(retrySeconds) : {};
    return context.json({ detail: first.error, status: 'refused', ...more }, first.code, headers);
  }
  const receipt: Receipt = { status: 'ok', ...more };
  return context.json(receipt);
}

const labels: readonly string[] = [agentPaths.tasks, agentPaths.report, agentPaths.status];

function labelOf(path: string): string {
  if (labels.includes(path)) return path;
  return path.startsWith(`${agentPaths.status}/`) ? `${agentPaths.status}/{domain}` : 'other';
}
