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

  it('stays what the client of the same process has when its server does not lead any more', async () => {
    const metrics = createMetrics();
    exportSnapshot(metrics, snapshotOf([taken(1, target('a1')), taken(2, target('b2'))]), 'server');
    exportSnapshot(metrics, snapshotOf([taken(1, target('a1'))]), 'client');
    expect(await weights(metrics)).toEqual(['1:a1*10', '2:b2*10']);
    forgetSnapshot(metrics, 'web');
    expect(await weights(metrics)).toEqual(['1:a1*10']);
    const slots = (await metrics.slots.get()).values.find(({ labels }) => labels.state === 'taken');
    expect(slots?.value).toBe(1);
  });
});
