import { describe, expect, it } from 'vitest';
import {
  announceCluster,
  type ClusterFacts,
  type ClusterState,
} from '../../../../src/deliver/notify/announce-nodes.ts';
import { startAt } from '../../../fixtures/lists.ts';

const node = (id: string, isSilent = false, kind: 'server' | 'agent' = 'server') => ({ id, kind, isSilent });
const facts = (fields: Partial<ClusterFacts> = {}): ClusterFacts => ({
  epoch: 1,
  holder: 'a',
  nodes: [node('a'), node('b')],
  isSettled: true,
  now: startAt,
  ...fields,
});

function told(...steps: readonly ClusterFacts[]): readonly string[] {
  let state: ClusterState | undefined;
  return steps.map((step) => {
    const { events, state: next } = announceCluster(state, step);
    state = next;
    return events
      .map(({ kind, node: id, from, reason }) => [kind, id, from, reason].filter(Boolean).join(' '))
      .join('; ');
  });
}

describe('what people are told of the cluster', () => {
  it('is who leads, when that is another one than before', () => {
    expect(told(facts(), facts({ epoch: 2, holder: 'b' }), facts({ epoch: 3, holder: 'b' }))).toEqual([
      'new-leader a',
      'new-leader b a',
      '',
    ]);
  });

  it('is a node that fell silent, and for how long', () => {
    const lines = told(
      facts(),
      facts({ nodes: [node('a'), node('b', true)] }),
      facts({ nodes: [node('a'), node('b', true)], now: startAt + 30_000 }),
      facts({ now: startAt + 90_000 }),
    );
    expect(lines.slice(1)).toEqual([
      'node-down b nothing is heard of this server',
      '',
      'node-up b this server was silent for 1 min 30 s',
    ]);
  });

  it('is neither a newcomer nor one that left in order, so a rolling restart tells of the leader alone', () => {
    const lines = told(
      facts(),
      facts({ nodes: [node('a'), node('c')] }),
      facts({ nodes: [node('c'), node('d')], epoch: 2, holder: 'c' }),
    );
    expect(lines.slice(1)).toEqual(['', 'new-leader c a']);
  });

  it('is not that a node is back while the leader has not listened for long enough to know', () => {
    const silent = facts({ nodes: [node('a'), node('g', true, 'agent')] });
    const heard = facts({ nodes: [node('a'), node('g', false, 'agent')] });
    const lines = told(facts({ nodes: heard.nodes }), silent, { ...heard, isSettled: false }, silent, heard);
    expect(lines.slice(1)).toEqual([
      'node-down g nothing is heard of this agent',
      '',
      '',
      'node-up g this agent was silent for 0 s',
    ]);
  });

  it('leaves everything as it was while the nodes are not known', () => {
    expect(told(facts(), facts({ nodes: undefined }), facts()).slice(1)).toEqual(['', '']);
  });
});
