import { afterAll, beforeAll } from 'vitest';
import { etcdSchema, openEtcdStore } from '../../src/store/etcd.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Etcd, nextPrefix, startEtcd } from '../fixtures/etcd.ts';
import { describeStore } from './store-suite.ts';

describeWith(['etcd'], 'etcd', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());

  describeStore('etcd', async () => {
    const config = etcdSchema.parse({ kind: 'etcd', endpoints: etcd.endpoints, prefix: nextPrefix() });
    return { open: () => openEtcdStore(config, systemClock), remove: async () => {} };
  });
});
