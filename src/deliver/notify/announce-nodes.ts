import type { Announced, Happened } from './announce.ts';
import { spanOf } from './words.ts';

/** One server or agent as the leader sees it. */
export interface NodeFact {
  readonly id: string;
  readonly kind: 'server' | 'agent';
  /** Silent: nothing was heard for its time to live. One that left cleanly is not there at all. */
  readonly isSilent: boolean;
}

export interface ClusterFacts {
  readonly epoch: number;
  /** Node id of the leader. */
  readonly holder: string;
  /** `undefined`: not known yet. */
  readonly nodes: readonly NodeFact[] | undefined;
  /**
   * False while this leader has not watched for a whole time to live: what it sees for the first time counts as alive, so it
   * cannot tell yet that somebody is back.
   */
  readonly isSettled: boolean;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

export interface KnownNode {
  readonly id: string;
  readonly kind: 'server' | 'agent';
  /** When its silence was noticed, wall-clock milliseconds; absent while it is heard. */
  readonly silentSinceAt?: number;
}

/** What people were told about the cluster itself. */
export interface ClusterState {
  readonly epoch: number;
  readonly holder: string;
  readonly nodes: readonly KnownNode[];
}

/**
 * What must be told of leader and nodes. Nodes that come for the first time, and those that leave in order, are none of it:
 * a rolling restart tells of changes of the leader alone.
 *
 * @param before - What was told so far; `undefined`: nothing.
 */
export function announceCluster(before: ClusterState | undefined, facts: ClusterFacts): Announced<ClusterState> {
  const { epoch, holder } = facts;
  const { nodes, news } = nodeNews(before?.nodes ?? [], facts);
  return { events: [...leaderNews(before, facts), ...news], state: { epoch, holder, nodes } };
}

function leaderNews(before: ClusterState | undefined, { holder }: ClusterFacts): readonly Happened[] {
  if (before === undefined) return [{ kind: 'new-leader', node: holder }];
  return before.holder === holder ? [] : [{ kind: 'new-leader', node: holder, from: before.holder }];
}

function nodeNews(before: readonly KnownNode[], { nodes, isSettled, now }: ClusterFacts) {
  if (nodes === undefined) return { nodes: before, news: [] };
  const known = new Map(before.map((node) => [node.id, node]));
  const news: Happened[] = [];
  const told = nodes.map(({ id, kind, isSilent }): KnownNode => {
    const was = known.get(id);
    if (isSilent && was?.silentSinceAt === undefined) {
      // One that was silent before it was ever heard of is no news.
      if (was) news.push({ kind: 'node-down', node: id, reason: `nothing is heard of this ${kind}` });
      return { id, kind, silentSinceAt: now };
    }
    if (isSilent || was?.silentSinceAt === undefined) return was ?? { id, kind };
    if (!isSettled) return was;
    news.push({ kind: 'node-up', node: id, reason: `this ${kind} was silent for ${spanOf(now - was.silentSinceAt)}` });
    return { id, kind };
  });
  return { nodes: told, news };
}
