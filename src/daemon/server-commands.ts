import { randomUUID } from 'node:crypto';
import type { Caller } from '../api/cluster-view.ts';
import type { View } from '../api/view.ts';
import { HsdoError } from '../model/error.ts';
import type { Override } from '../model/slot.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { type AuditEntry, createAudit } from '../publish/audit.ts';
import { createRequests, type Requests } from '../publish/requests.ts';
import type { Change, Store } from '../store/store.ts';
import type { Watching } from './observing/watching.ts';
import type { ProcessParts } from './process.ts';
import { switchoverTarget } from './switchover-view.ts';

/** Calls the store with a deadline. */
export type Asking = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

export interface CommandParts extends Pick<ProcessParts, 'config' | 'clock' | 'log'> {
  /** Absent where HSDO's table is all there is; `requests` refuses then. */
  readonly store: Store | undefined;
  readonly requests: Requests;
  readonly watching: Watching | undefined;
  readonly asking: Asking;
  readonly snapshotOf: (service: string) => Promise<Snapshot | undefined>;
  readonly nudgeAll: () => void;
}

type Commands = Pick<
  View,
  'decommission' | 'releaseHold' | 'forgetPrimary' | 'override' | 'switchover' | 'maintain' | 'purge' | 'audit'
>;
type What = Pick<AuditEntry, 'action' | 'service' | 'target' | 'detail'>;

/** After so many changes this process looks whether the store keeps more of them than it should. */
const pruneEvery = 20;

/** What one may ask of a server. Every change is kept in the store together with the record of who asked for it. */
export function createServerCommands(parts: CommandParts): Commands {
  const { config, clock, log, store, requests, watching, asking } = parts;
  const audit = store && createAudit(store);
  let changes = 0;

  const entryOf = (what: What, { name, from }: Caller): AuditEntry => ({
    at: clock.now(),
    by: name,
    from,
    node: config.cluster.nodeId,
    ...what,
  });
  const told = (entry: AuditEntry) => {
    log.info({ ...entry }, 'an operator asks for a change');
    parts.nudgeAll();
    changes += 1;
    if (audit === undefined || changes % pruneEvery !== 1) return;
    void asking((signal) => audit.prune(signal)).catch((error: unknown) =>
      log.debug({ error }, 'the audit stays long'),
    );
  };
  /** Asks the leader for something, with the record of it in the same commit. */
  const ask = async (
    what: What,
    caller: Caller,
    call: (own: Requests, by: string, at: number, signal: AbortSignal) => Promise<void>,
  ) => {
    const entry = entryOf(what, caller);
    const own = audit ? createRequests(audit.beside(entry)) : requests;
    await asking((signal) => call(own, entry.by, entry.at, signal));
    told(entry);
  };
  const listOf = async (service: string): Promise<Snapshot> => {
    const snapshot = await parts.snapshotOf(service);
    if (snapshot) return snapshot;
    throw new HsdoError('rejected', `Cannot change service "${service}": it has no list yet`);
  };

  return {
    audit: async (limit) => (audit ? asking((signal) => audit.list(limit, signal)) : []),
    async decommission(observer, caller) {
      if (!watching)
        throw new HsdoError('rejected', 'Cannot strike anybody off: there is no plain store to register in');
      const entry = entryOf({ action: 'decommission', target: observer }, caller);
      const beside: readonly Change[] = audit ? [audit.record(entry)] : [];
      await asking((signal) => watching.electorate.decommission(observer, signal, beside));
      told(entry);
    },
    async releaseHold(service, token, caller) {
      const { hold } = await listOf(service);
      if (hold?.token !== token) {
        const there = hold ? `the hold of "${service}" is "${hold.token}"` : `"${service}" has no hold`;
        throw new HsdoError('rejected', `Cannot release "${token}": ${there}`);
      }
      await ask({ action: 'hold-released', service, detail: token }, caller, (own, by, at, signal) =>
        own.release(service, token, by, at, signal),
      );
    },
    async forgetPrimary(service, caller) {
      const { primary } = await listOf(service);
      if (primary?.highestTimeline === undefined && primary?.lastId === undefined) {
        throw new HsdoError('rejected', `Cannot forget the primaries of "${service}": it remembers none`);
      }
      const token = randomUUID();
      await ask({ action: 'primary-forgotten', service }, caller, (own, by, at, signal) =>
        own.forgetPrimary(service, token, by, at, signal),
      );
    },
    async override(service, name, state, caller) {
      const target = await idOf(await listOf(service), name, state, service, requests, asking);
      const what =
        state === undefined
          ? ({ action: 'override-ended', service, target } as const)
          : ({ action: 'override', service, target, detail: state } as const);
      await ask(what, caller, (own, by, at, signal) => own.override(service, target, state, by, at, signal));
    },
    async switchover(name, wanted, caller) {
      const service = config.services.find((one) => one.name === name);
      if (service === undefined) throw new HsdoError('rejected', `Cannot switch "${name}": it is not configured here`);
      const target = switchoverTarget(service, await listOf(name), wanted);
      const token = randomUUID();
      await ask({ action: 'switchover', service: name, target: target.id }, caller, (own, by, at, signal) =>
        own.switchover(name, token, target.id, by, at, signal),
      );
      return { token, targetId: target.id, targetName: target.name };
    },
    async maintain(service, minutes, caller) {
      await listOf(service);
      const untilAt = minutes === undefined ? undefined : clock.now() + minutes * 60_000;
      const what =
        minutes === undefined
          ? ({ action: 'maintenance-ended', service } as const)
          : ({ action: 'maintenance', service, detail: `${minutes} min` } as const);
      await ask(what, caller, (own, by, at, signal) => own.maintenance(service, untilAt, by, at, signal));
      return untilAt;
    },
    async purge(services, caller) {
      const purged: string[] = [];
      for (const service of services) {
        if (!(await hasSwitchover(service, await parts.snapshotOf(service), requests, asking))) continue;
        await ask({ action: 'purge', service }, caller, (own, by, at, signal) =>
          own.switchover(service, randomUUID(), undefined, by, at, signal),
        );
        purged.push(service);
      }
      return purged;
    },
  };
}

/** One that counts by the list, or that was asked for and is not in the list yet. */
async function hasSwitchover(
  service: string,
  snapshot: Snapshot | undefined,
  requests: Requests,
  asking: Asking,
): Promise<boolean> {
  const known = snapshot?.switchover;
  const { switchover: wish } = await asking((signal) => requests.read(service, signal));
  if (wish !== undefined && wish.token !== known?.token) return wish.targetId !== undefined;
  return known !== undefined && known.ended === undefined;
}

/** An operator may say the name or the id; ending an override also works for a target that is gone. */
async function idOf(
  snapshot: Snapshot,
  target: string,
  state: Override | undefined,
  service: string,
  requests: Requests,
  asking: Asking,
): Promise<string> {
  const owners = snapshot.slots.flatMap((slot) => (slot.state === 'free' ? [] : [slot.target]));
  const matches = owners.filter(({ id, name }) => id === target || name === target);
  const exact = matches.find(({ id }) => id === target) ?? (matches.length === 1 ? matches[0] : undefined);
  if (exact) return exact.id;
  if (matches.length > 1) {
    throw new HsdoError(
      'rejected',
      `Cannot tell which target "${target}" is: ${matches.map(({ id }) => id).join(', ')} have that name`,
    );
  }
  if (state === undefined) {
    const { overrides } = await asking((signal) => requests.read(service, signal));
    if (overrides.some(({ targetId }) => targetId === target)) return target;
  }
  throw new HsdoError('rejected', `Cannot find target "${target}" in the list of "${service}"`);
}
