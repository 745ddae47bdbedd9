import { describe, expect, it } from 'vitest';
import { exportSnapshot, forgetSnapshot } from '../../../src/daemon/slot-metrics.ts';
import { createMetrics, type Metrics } from '../../../src/telemetry/metrics.ts';
import { snapshotOf, taken, target } from '../../fixtures/lists.ts';

const weights = async (metrics: Metrics) => {
  const { values } = await metrics.serverWeight.get();
  return values.map(({ labels, value }) => `${labels['id']}:${labels['name']}*${value}`).sort();
};

describe('hsdo_server_weight', () => {
  it('has one series for each taken slot, with weight 0 while an operator keeps it out', async () => {
    const metrics = createMetrics();
    const slots = [taken(1, target('a1')), taken(2, target('b2'), { override: 'drain' })];
    exportSnapshot(metrics, snapshotOf([...slots, { state: 'free', index: 3 }]), 'server');
    expect(await weights(metrics)).toEqual(['1:a1*10', '2:b2*0']);
    const draining = { ...taken(1, target('a1')), state: 'draining' as const, drainUntil: 5 };
    exportSnapshot(metrics, snapshotOf([draining, taken(2, target('c3'))]), 'server');
    expect(await weights(metrics)).toEqual(['2:c3*10']);
    forgetSnapshot(metrics, 'web');
    expect(await weights(metrics)).toEqual([]);
  });

  it.each(['client', 'dns'] as const)(
    'stays what the role %s of the same process has when its server does not lead any more',
    async (role) => {
      const metrics = createMetrics();
      exportSnapshot(metrics, snapshotOf([taken(1, target('a1')), taken(2, target('b2'))]), 'server');
      exportSnapshot(metrics, snapshotOf([taken(1, target('a1'))]), role);
      expect(await weights(metrics)).toEqual(['1:a1*10', '2:b2*10']);
      forgetSnapshot(metrics, 'web');
      expect(await weights(metrics)).toEqual(['1:a1*10']);
      const slots = (await metrics.slots.get()).values.find(({ labels }) => labels.state === 'taken');
      expect(slots?.value).toBe(1);
    },
  );
});

describe('what is judged', () => {
  const read = async (metrics: Metrics, name: string) => {
    const found = (await metrics.registry.getMetricsAsJSON()).find((metric) => metric.name === name);
    return (found?.values ?? []).map(({ labels, value }) => [...Object.values(labels), value].join(' ')).sort();
  };
  const up = { verdict: 'up', code: 'ok', sinceAt: 1 } as const;
  const down = { verdict: 'down', code: 'timeout', sinceAt: 1, isInDoubt: true } as const;
  const slots = [
    taken(1, target('a1'), { health: up }),
    taken(2, target('b2'), { health: down, out: 'down' }),
    taken(3, target('c3'), { health: { ...down, verdict: 'undecided' }, out: 'new' }),
    taken(4, target('d4'), { health: up, out: 'standby' }),
  ];

  it('is counted by verdict, and a target that is out has weight 0', async () => {
    const metrics = createMetrics();
    exportSnapshot(metrics, snapshotOf(slots), 'server');
    expect(await weights(metrics)).toEqual(['1:a1*10', '2:b2*0', '3:c3*0', '4:d4*0']);
    expect(await read(metrics, 'hsdo_judge_targets')).toEqual(['web down 1', 'web undecided 1', 'web up 2']);
    expect(await read(metrics, 'hsdo_judge_in_doubt')).toEqual(['web 2']);
    expect(await read(metrics, 'hsdo_judge_panic')).toEqual(['web 0']);
    const panic = { sinceAt: 1, serves: 'all' } as const;
    exportSnapshot(metrics, snapshotOf([taken(1, target('a1'), { health: down })], { panic }), 'server');
    expect(await weights(metrics)).toEqual(['1:a1*10']);
    expect(await read(metrics, 'hsdo_judge_panic')).toEqual(['web 1']);
  });

  it('is not there for a service without a check, nor after another process took over', async () => {
    const metrics = createMetrics();
    const names = ['hsdo_judge_targets', 'hsdo_judge_in_doubt', 'hsdo_judge_panic'];
    const all = async () => (await Promise.all(names.map((name) => read(metrics, name)))).flat();
    exportSnapshot(metrics, snapshotOf([taken(1, target('a1'))]), 'server');
    expect(await all()).toEqual([]);
    exportSnapshot(metrics, snapshotOf(slots), 'server');
    expect(await all()).toHaveLength(5);
    forgetSnapshot(metrics, 'web');
    expect(await all()).toEqual([]);
    exportSnapshot(metrics, snapshotOf(slots), 'server');
    exportSnapshot(metrics, snapshotOf([taken(1, target('a1'))]), 'server');
    expect(await all()).toEqual([]);
  });
});
