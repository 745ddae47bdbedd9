import { expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { makeTable, plainKeys } from '../fixtures/dynamodb.ts';
import { type RunningExample, startExample } from '../fixtures/examples.ts';
import { motoPrograms, startMoto } from '../fixtures/moto.ts';
import { startTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

describeWith(motoPrograms, 'the example dhaf-web, run as it stands by two servers', () => {
  it('fails over to the second entry point and back, also when the leader is dead', async () => {
    const [first, second, moto] = await Promise.all([startTarget(), startTarget(), startMoto()]);
    const { endpoint, region, credentials } = moto;
    const settings = {
      env: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
      replacements: {
        'address: 192.0.2.10, port: 80': `address: ${first.address}, port: ${first.port}`,
        'address: 192.0.2.20, port: 80': `address: ${second.address}, port: ${second.port}`,
        'table: hsdo, region: eu-west-1': `table: ${await makeTable(moto, plainKeys)}, region: ${region}, endpoint: "${endpoint}"`,
        'intervalSeconds: 10': 'intervalSeconds: 0.2',
        'heartbeatSeconds: 5': 'heartbeatSeconds: 0.5',
        'nodeTtlSeconds: 30': 'nodeTtlSeconds: 3',
        'leaseTtlSeconds: 10': 'leaseTtlSeconds: 2',
      },
    };
    const nodes: RunningExample[] = [];
    try {
      nodes.push(await startExample('dhaf-web', { ...settings, nodeId: 'n1' }));
      nodes.push(await startExample('dhaf-web', { ...settings, nodeId: 'n2' }));
      const [leader, other] = nodes as [RunningExample, RunningExample];
      const isFirst = { 'ep-1': 'up, serves', 'ep-2': 'up' };
      const isSecond = { 'ep-1': 'refused', 'ep-2': 'up, serves' };

      expect(await other.shows('the first entry point serves', isFirst)).toMatchObject({ active: 'ep-1' });
      const bothVote = async () => (await other.detail()).targets.every(({ votes }) => votes.length === 2);
      await until('both vote', bothVote, { timeoutMs: 30_000 });
      await first.stop();
      expect(await other.shows('the second one serves', isSecond)).toMatchObject({ active: 'ep-2' });
      await first.start();
      await other.shows('the first one has it again', isFirst);

      await leader.hsdo.kill();
      await until('the dead one does not count any more', async () => {
        const { observers } = await other.hsdo.status();
        return observers.some(({ id, isFresh }) => id === 'n1' && !isFresh);
      });
      await first.stop();
      await other.shows('one of two goes on deciding', isSecond);
      expect(await other.told()).toEqual(isSecond);
    } finally {
      for (const node of nodes) await node.remove();
      await Promise.all([first.stop(), second.stop(), moto.stop()]);
    }
  });
});
