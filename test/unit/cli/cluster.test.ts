import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView } from '../../../src/api/cluster-view.ts';
import { auditForPeople, eventsForPeople } from '../../../src/cli/history.ts';
import { nodesForPeople } from '../../../src/cli/nodes.ts';
import { switchoverOf } from '../../../src/cli/services.ts';

const cluster: ClusterView = {
  name: 'shop',
  node: 'n1',
  version: '1',
  at: 0,
  leader: 'n1',
  epoch: 7,
  store: { kind: 'etcd', refusals: [] },
  nodes: 2,
  problems: [],
};
const node = (id: string, fields: Partial<NodeView> = {}): NodeView => ({
  id,
  kind: 'server',
  isLeader: false,
  isHealthy: true,
  isTransient: false,
  services: [],
  ...fields,
});

/** The words of a table, a list for each line. */
const words = (table: string) => table.split('\n').map((line) => line.split(/ {2,}/));

describe('the nodes as people see them', () => {
  it('tell who leads, who is silent for how long, and who abstains', () => {
    const [head, , , ...rows] = words(
      nodesForPeople(cluster, [
        node('n1', { isLeader: true, silentMs: 900, services: ['web', 'db'] }),
        node('n2', { isHealthy: false, silentMs: 200_000 }),
        node('eye', { kind: 'agent', isTransient: true, abstains: 'its way out is down' }),
      ]),
    );
    expect(head).toEqual(['cluster shop, led by n1 (epoch 7), store etcd']);
    expect(rows).toEqual([
      ['n1', 'server', 'leader', 'healthy', '1 s', 'web, db', 'decommission'],
      ['n2', 'server', '-', 'silent', '3 min', '-', 'decommission'],
      ['eye', 'agent', '-', 'healthy, abstains: its way out is down', '-', '-', 'itself'],
    ]);
  });
});

describe('a switchover as people see it', () => {
  it('is one that counts, or why it does not any more', () => {
    const wish = { token: 't', targetId: 'i-2', targetName: 'web-2', by: 'ann', at: 1 };
    expect(switchoverOf({})).toBe(undefined);
    expect(switchoverOf({ switchover: wish })).toBe('web-2, by ann');
    expect(switchoverOf({ switchover: { ...wish, ended: 'down' } })).toBe('ended: web-2 went down');
    expect(switchoverOf({ switchover: { ...wish, ended: 'purged', endedBy: 'bob' } })).toBe('purged by bob');
  });
});

describe('what happened, as people see it', () => {
  const at = Date.UTC(2026, 10, 21, 18, 30, 40);

  it('ends with the last event, and says why', () => {
    const shown = eventsForPeople([
      {
        id: 'web-2',
        kind: 'failover',
        at: at + 1000,
        service: 'web',
        target: 'web-2',
        from: 'web-1',
        reason: 'it is down',
      },
      { id: 'cluster-1', kind: 'new-leader', at, node: 'n1' },
    ]);
    expect(words(shown).slice(1)).toEqual([
      ['2026-11-21 18:30:40', '-', 'new-leader', 'n1', '-'],
      ['2026-11-21 18:30:41', 'web', 'failover', 'web-2', 'from web-1, it is down'],
    ]);
    expect(eventsForPeople([])).toBe('no events');
  });

  it('has who changed what, and from where', () => {
    const entry = {
      at,
      by: 'ann',
      from: '10.0.0.1',
      node: 'n1',
      action: 'override',
      service: 'web',
      target: 'i-1',
      detail: 'drain',
    } as const;
    expect(words(auditForPeople([entry]))[1]).toEqual([
      '2026-11-21 18:30:40',
      'ann',
      '10.0.0.1',
      'n1',
      'override',
      'web',
      'i-1 drain',
    ]);
    expect(auditForPeople([])).toBe('nobody changed anything');
  });
});
