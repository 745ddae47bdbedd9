import { type Slot, type SlotHealth, servingWeight, type TakenSlot } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Metrics } from '../telemetry/metrics.ts';

const roles = ['server', 'client', 'dns'] as const;
type Role = (typeof roles)[number];
type WeightLabels = { id: string; name: string; ip: string; asg: string; service: string };

/** The series of one taken slot, and the slot that it was made of: of a long list most are the same as before. */
interface Series {
  readonly slot: Slot;
  readonly key: string;
  readonly labels: WeightLabels;
}
/** By index. */
type AllSeries = ReadonlyMap<number, Series>;

const none: AllSeries = new Map();

/** Which weight series each role put into the registry, by service and role; those of slots that were left must go. */
const exported = new WeakMap<Metrics, Map<string, AllSeries>>();

function seriesOf(slot: TakenSlot, service: string): Series {
  const { name, address, group } = slot.target;
  const labels = { id: String(slot.index), name, ip: address, asg: group, service };
  return { slot, key: JSON.stringify(labels), labels };
}

/** Replaces the series of one role. One that another role of the same process still has stays. */
function replaceSeries(metrics: Metrics, service: string, role: Role, slots: readonly Slot[]): void {
  const series = exported.get(metrics) ?? new Map<string, AllSeries>();
  exported.set(metrics, series);
  const before = series.get(`${service}/${role}`) ?? none;
  const others = roles.filter((other) => other !== role).map((other) => series.get(`${service}/${other}`) ?? none);
  const next = new Map<number, Series>();
  for (const slot of slots) {
    if (slot.state !== 'taken') continue;
    const known = before.get(slot.index);
    if (known?.slot === slot) {
      next.set(slot.index, known);
      continue;
    }
    const own = seriesOf(slot, service);
    next.set(slot.index, own);
    metrics.serverWeight.set(own.labels, servingWeight(slot));
  }
  series.set(`${service}/${role}`, next);
  for (const [index, { key, labels }] of before) {
    const isKept = next.get(index)?.key === key || others.some((other) => other.get(index)?.key === key);
    if (!isKept) metrics.serverWeight.remove(labels);
  }
}

/** Brings the metrics of a service in line with a snapshot; `hsdo_server_weight` exists exactly for its taken slots. */
export function exportSnapshot(metrics: Metrics, snapshot: Snapshot, role: Role): void {
  const { service, slots } = snapshot;
  replaceSeries(metrics, service, role, slots);
  for (const state of ['taken', 'draining', 'free'] as const) {
    metrics.slots.set({ service, state }, slots.filter((slot) => slot.state === state).length);
  }
  metrics.unplaced.set({ service }, snapshot.unplaced.length);
  metrics.guardHolding.set({ service }, snapshot.hold ? 1 : 0);
  exportVerdicts(metrics, snapshot);
  metrics.revision.set({ service, role }, snapshot.revision);
}

const verdicts: readonly SlotHealth['verdict'][] = ['up', 'down', 'undecided'];

/** A service without a check has no verdicts, and no series that would call all of its targets nothing. */
function exportVerdicts(metrics: Metrics, { service, slots, panic }: Snapshot): void {
  const health = slots.flatMap((slot) => (slot.state === 'taken' && slot.health ? [slot.health] : []));
  if (health.length === 0 && !panic) {
    forgetVerdicts(metrics, service);
    return;
  }
  for (const verdict of verdicts) {
    metrics.judgeTargets.set({ service, verdict }, health.filter((one) => one.verdict === verdict).length);
  }
  metrics.judgeInDoubt.set({ service }, health.filter(({ isInDoubt }) => isInDoubt).length);
  metrics.judgePanic.set({ service }, panic ? 1 : 0);
}

function forgetVerdicts(metrics: Metrics, service: string): void {
  for (const verdict of verdicts) metrics.judgeTargets.remove({ service, verdict });
  metrics.judgeInDoubt.remove({ service });
  metrics.judgePanic.remove({ service });
}

/** Takes a service's list out of the metrics of a server: another process speaks for it now. */
export function forgetSnapshot(metrics: Metrics, service: string): void {
  replaceSeries(metrics, service, 'server', []);
  metrics.revision.remove({ service, role: 'server' });
  const known = exported.get(metrics);
  if (roles.some((role) => role !== 'server' && known?.has(`${service}/${role}`))) return;
  for (const state of ['taken', 'draining', 'free']) metrics.slots.remove({ service, state });
  metrics.unplaced.remove({ service });
  metrics.guardHolding.remove({ service });
  forgetVerdicts(metrics, service);
}

/** Forgets a service that no role of this process has any more; its series are `forgetSeries`'s to take away. */
export function forgetService(metrics: Metrics, service: string): void {
  for (const role of roles) exported.get(metrics)?.delete(`${service}/${role}`);
}
