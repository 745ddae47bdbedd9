import { isRecord, readEntry, splitEndpoint } from './entry.ts';
import { showValue } from './show.ts';
import type { Sighting } from './source.ts';

/** Labels of a group that mean something to hsdo; all others are for Prometheus. */
const labelNames = ['group', 'zone', 'weight'];

/**
 * Reads what a file lists: entries as a person writes them, or groups of Prometheus's file_sd format,
 * `{targets: ["host:port"], labels: {zone: ..., group: ..., weight: ...}}` (Prometheus, Configuration, file_sd_config).
 * Prometheus resolves host names, hsdo does not: a host that is no address is refused by name.
 */
export function readList(list: readonly unknown[], group: string): readonly Sighting[] {
  return list.flatMap((item) =>
    isRecord(item) && 'targets' in item ? readGroup(item, group) : [readEntry(item, group)],
  );
}

function readGroup(item: Readonly<Record<string, unknown>>, group: string): readonly Sighting[] {
  const { targets, labels = {} } = item;
  if (!Array.isArray(targets) || !isRecord(labels)) {
    const fault = `the group has targets ${showValue(targets)} and labels ${showValue(labels)}, expected a list and a map`;
    return [{ id: undefined, name: undefined, address: undefined, group, fault }];
  }
  const named = Object.fromEntries(labelNames.flatMap((name) => (name in labels ? [[name, labels[name]]] : [])));
  const weight = numberOf(named['weight']);
  return targets.map((target: unknown) => {
    if (typeof target !== 'string') return readEntry(target, group);
    return readEntry({ ...splitEndpoint(target), ...named, weight }, group);
  });
}

/** Labels are always text. */
function numberOf(label: unknown): unknown {
  return typeof label === 'string' && /^\d{1,6}$/.test(label) ? Number(label) : label;
}
