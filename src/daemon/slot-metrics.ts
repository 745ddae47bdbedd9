import type { Snapshot } from '../model/snapshot.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type Role = 'server' | 'client';
type WeightLabels = { id: string; name: string; ip: string; asg: string; service: string };

/** Which weight series stand in the registry for a service; those of slots that were left must go. */
const exported = new WeakMap<Metrics, Map<string, Map<string, WeightLabels>>>();

function seriesOf(metrics: Metrics, service: string): Map<string, WeightLabels> {
  const services = exported.get(metrics) ?? new Map<string, Map<string, WeightLabels>>();
  exported.set(metrics, services);
  const series = services.get(service) ?? new Map<string, WeightLabels>();
  services.set(service, series);
  return series;
}

/** Brings the metrics of a service in line with a snapshot; `hsdo_server_weight` exists exactly for its taken slots. */
export function exportSnapshot(metrics: Metrics, snapshot: Snapshot, role: Role): void {
  const { service, slots } = snapshot;
  const before = seriesOf(metrics, service);
  const current = new Map<string, WeightLabels>();
  for (const slot of slots) {
    if (slot.state !== 'taken') continue;
    const { name, address, group } = slot.target;
    const labels = { id: String(slot.index), name, ip: address, asg: group, service };
    const weight = slot.override === 'drain' || slot.override === 'maint' ? 0 : slot.weight;
    current.set(JSON.stringify(labels), labels);
    metrics.serverWeight.set(labels, weight);
  }
  for (const [key, labels] of before) if (!current.has(key)) metrics.serverWeight.remove(labels);
  exported.get(metrics)?.set(service, current);
  for (const state of ['taken', 'draining', 'free'] as const) {
    metrics.slots.set({ service, state }, slots.filter((slot) => slot.state === state).length);
  }
  metrics.unplaced.set({ service }, snapshot.unplaced.length);
  metrics.guardHolding.set({ service }, snapshot.hold ? 1 : 0);
  metrics.revision.set({ service, role }, snapshot.revision);
}

/** Takes a service's list out of the metrics: another process speaks for it now. */
export function forgetSnapshot(metrics: Metrics, service: string): void {
  for (const labels of seriesOf(metrics, service).values()) metrics.serverWeight.remove(labels);
  exported.get(metrics)?.delete(service);
  for (const state of ['taken', 'draining', 'free']) metrics.slots.remove({ service, state });
  metrics.unplaced.remove({ service });
  metrics.guardHolding.remove({ service });
  metrics.revision.remove({ service, role: 'server' });
}
