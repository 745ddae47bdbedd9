import type { Remembered } from '../../../../src/deliver/haproxy/decide.ts';
import type { Wanted, WantedTarget } from '../../../../src/deliver/haproxy/desired.ts';
import { type Plan, planBackend } from '../../../../src/deliver/haproxy/plan.ts';
import { applyChanges, type Model, observe, startedModel } from './model.ts';

/** What a client remembers of one backend. */
export type Memory = ReadonlyMap<number, Remembered>;

export const nothing: Memory = new Map();

/** What would be sent, without sending it. */
export function plan(
  model: Model,
  wanted: ReadonlyMap<number, Wanted>,
  remembered: Memory,
  options: object = {},
): Plan {
  return planBackend({ observed: observe(model), wanted, remembered, baseName: 'web', mayGrow: false, ...options });
}

/** One pass as reconcile.ts makes it: plan, apply, look again. */
export function pass(
  model: Model,
  wanted: ReadonlyMap<number, Wanted>,
  remembered: Memory,
  options: object = {},
): Plan & { sent: Plan } {
  const sent = plan(model, wanted, remembered, options);
  applyChanges(model, sent.changes);
  return { ...plan(model, wanted, sent.remembered, options), sent };
}

/** The wanted target of slot 1. */
export const web = (changes: Partial<WantedTarget> = {}): WantedTarget => ({
  index: 1,
  admin: 'ready',
  targetId: 'i-1',
  targetName: 'one',
  address: '10.0.0.1',
  port: 8080,
  weight: 10,
  isForced: false,
  ...changes,
});
export const list = (...entries: Wanted[]) => new Map(entries.map((one) => [one.index, one]));
export const free = (index: number): Wanted => ({ index, admin: 'maint' });

export function server(model: Model, index = 1) {
  const found = model.get(index);
  if (!found) throw new Error(`no server ${index}`);
  return found;
}

/** A model and memory after the target was admitted and its checks passed. */
export function admitted(wanted: WantedTarget = web()): { model: Model; memory: Memory } {
  const model = startedModel(1);
  pass(model, list(wanted), nothing);
  if (wanted.admin !== 'maint') server(model).isUp = true;
  return { model, memory: pass(model, list(wanted), plan(model, list(wanted), nothing).remembered).remembered };
}
