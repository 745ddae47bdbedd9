import type { Config, ServiceConfig } from '../config/schema.ts';
import { forgetSeries, type Labels } from '../telemetry/forget-series.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { sourceLabels } from './service-sources.ts';
import { forgetService } from './slot-metrics.ts';

/** After a reload: takes what the configuration does not have any more out of the metrics. */
export async function forgetGone(metrics: Metrics, before: Config, after: Config): Promise<void> {
  const names = new Set(after.services.map(({ name }) => name));
  for (const { name } of before.services) if (!names.has(name)) forgetService(metrics, name);
  await forgetSeries(metrics, isGoneFrom(after));
}

function isGoneFrom({ services, notify }: Config): (labels: Labels) => boolean {
  const byName = new Map(services.map((service) => [service.name, service]));
  const sockets = new Set(services.flatMap(({ haproxy }) => haproxy?.sockets ?? []));
  const notifiers = new Set(notify.map(({ name }) => name));
  return ({ service: name, role, source, socket, notifier }) => {
    if (socket !== undefined && !sockets.has(String(socket))) return true;
    if (notifier !== undefined && !notifiers.has(String(notifier))) return true;
    if (name === undefined) return false;
    const service = byName.get(String(name));
    if (service === undefined || (role !== undefined && !hasRole(service, role))) return true;
    return source !== undefined && !sourceLabels(service).includes(String(source));
  };
}

/** Whether a role has anything to do with a service. */
function hasRole({ source, haproxy, dns }: ServiceConfig, role: string | number): boolean {
  if (role === 'server') return source.length > 0;
  return role === 'client' ? haproxy !== undefined : dns.publish;
}
