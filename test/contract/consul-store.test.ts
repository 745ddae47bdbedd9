import { afterAll, beforeAll } from 'vitest';
import { consulStoreSchema, openConsulStore } from '../../src/store/consul.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { type ConsulCluster, startConsulCluster } from '../fixtures/consul-cluster.ts';
import { describeStore } from './store-suite.ts';

let places = 0;

describeWith(['consul'], 'Consul', () => {
  let consul: ConsulCluster;
  beforeAll(async () => {
    consul = await startConsulCluster();
  }, 40_000);
  afterAll(() => consul.stop());

  describeStore('consul', async () => {
    const prefix = `place-${++places}/`;
    const token = await consul.createToken(`key_prefix "${prefix}" { policy = "write" }`);
    const config = consulStoreSchema.parse({ kind: 'consul', endpoints: consul.endpoints, token, prefix });
    return { open: () => openConsulStore(config, systemClock), remove: async () => {} };
  });
});
