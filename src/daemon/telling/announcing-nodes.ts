import type { ClusterState, NodeFact } from '../../deliver/notify/announce-nodes.ts';
import { observerKey } from '../../publish/ballot-format.ts';
import type { RegisteredObserver } from '../../publish/ballot-reader.ts';
import type { Store } from '../../store/store.ts';
import type { Clock } from '../../time/clock.ts';

/** Which servers and agents are heard, as people are told of it. */
export interface NodeWatch {
  /** Called often, also while another server leads: silence is measured from when one began to listen. */
  look(): void;
  facts(
    known: ClusterState | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly nodes: readonly NodeFact[] | undefined; readonly isSettled: boolean }>;
}

/** The record of one that is not listed any more is looked for this often. */
const lookAgainMs = 10_000;

/** @param ttlMs - After this time without a word every node counts as silent. */
export function createNodeWatch(options: {
  readonly store: Store;
  readonly observers: () => readonly RegisteredObserver[] | undefined;
  readonly ttlMs: number;
  readonly clock: Clock;
}): NodeWatch {
  const { store, observers, ttlMs, clock } = options;
  let sinceMs: number | undefined;
  const records = new Map<string, { readonly at: number; readonly isThere: boolean }>();

  const look = () => {
    if (observers() !== undefined) sinceMs ??= clock.monotonic();
  };
  /** A clean goodbye removes the record; whoever fell silent leaves it behind for a while. */
  async function hasRecord(id: string, signal: AbortSignal): Promise<boolean> {
    const last = records.get(id);
    if (last !== undefined && clock.monotonic() - last.at < lookAgainMs) return last.isThere;
    const isThere = (await store.get(observerKey(id), signal)) !== undefined;
    records.set(id, { at: clock.monotonic(), isThere });
    return isThere;
  }
  /** Those that are not listed any more, and did not say goodbye. */
  async function missing(
    known: ClusterState | undefined,
    listed: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly NodeFact[]> {
    const found: NodeFact[] = [];
    const gone = (known?.nodes ?? []).filter(({ id }) => !listed.has(id));
    for (const id of records.keys()) if (!gone.some((node) => node.id === id)) records.delete(id);
    for (const { id, kind, silentSinceAt } of gone) {
      // An agent has no goodbye: the first time that it is missing is its silence.
      const isFirst = kind === 'agent' && silentSinceAt === undefined;
      if (isFirst || (await hasRecord(id, signal))) found.push({ id, kind, isSilent: true });
    }
    return found;
  }
  return {
    look,
    async facts(known, signal) {
      look();
      const all = observers();
      if (all === undefined) return { nodes: undefined, isSettled: false };
      const listed = all.map(
        ({ id, kind, isFresh, abstains }): NodeFact => ({
          id,
          kind,
          // A server says of an agent that it hears nothing, which is the agent's silence and not its own.
          isSilent: !isFresh || (kind === 'agent' && abstains !== undefined),
        }),
      );
      const others = await missing(known, new Set(listed.map(({ id }) => id)), signal);
      return { nodes: [...listed, ...others], isSettled: clock.monotonic() - (sinceMs ?? 0) >= ttlMs };
    },
  };
}
