import { type AgentReport, checkNameOf, reportSchema } from '../agent/wire.ts';
import type { AgentService, AgentsView, Taken } from './agents-view.ts';
import { faultsOf } from './request.ts';

/** What became of one report; with a code where it was refused. */
export type Judged =
  | { readonly outcome: 'accepted' | 'late'; readonly code?: undefined }
  | {
      readonly outcome: Exclude<Taken['outcome'], 'accepted' | 'late'> | 'unfit' | 'unknown-domain' | 'wrong-token';
      readonly code: 403 | 404 | 422 | 429 | 503;
      readonly error: string;
    };

/** Judges reports one by one: shape, domain, token, check_name; then the view takes what is left. */
export function createIntake(view: AgentsView): (raw: unknown, opened: ReadonlySet<AgentService>) => Promise<Judged> {
  const byDomain = new Map(view.services.map((service) => [service.domain, service]));
  return async (raw, opened) => {
    const parsed = reportSchema.safeParse(raw);
    if (!parsed.success) {
      const faults = faultsOf(parsed.error, 'report');
      return { outcome: 'unfit', code: 422, error: faults.slice(0, 5).join('; ').slice(0, 500) };
    }
    const report = parsed.data;
    const service = byDomain.get(report.domain.replace(/\.$/, '').toLowerCase());
    if (service === undefined) {
      return { outcome: 'unknown-domain', code: 404, error: `no service is known by ${show(report.domain)}` };
    }
    if (!opened.has(service)) {
      return { outcome: 'wrong-token', code: 403, error: `the token is not the one of ${show(report.domain)}` };
    }
    return nameFault(report) ?? view.take(service, report);
  };
}

const show = (text: string) => JSON.stringify(text.slice(0, 100));

function nameFault({ check_name, domain, target_ip, port }: AgentReport): Judged | undefined {
  const expected = checkNameOf(domain, target_ip, port);
  if (check_name === expected) return undefined;
  return { outcome: 'unfit', code: 422, error: `check_name: expected ${show(expected)}, not ${show(check_name)}` };
}
