import { afterAll, beforeAll } from 'vitest';
import { openHomes } from '../../src/publish/homes.ts';
import { consulStoreSchema, openConsulStore } from '../../src/store/consul.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { type ConsulCluster, startConsulCluster } from '../fixtures/consul-cluster.ts';
import { describeBallots } from './ballots-suite.ts';
import { describeHomes } from './homes-suite.ts';
import { describeLostAnswers } from './lost-answers-suite.ts';
import { describeLeaderFaults } from './store-leader-suite.ts';
import { never } from './store-place.ts';
import { describeStore } from './store-suite.ts';

const services = [{ name: 'web', weight: { min: 1, increase: 1, intervalSeconds: 30 } }];
let places = 0;

describeWith(['consul'], 'Consul', () => {
  let consul: ConsulCluster;
  beforeAll(async () => {
    consul = await startConsulCluster();
  }, 40_000);
  afterAll(() => consul.stop());
  /** A prefix of its own, and a token that may use nothing else. */
  const configure = async (more: object = {}) => {
    const prefix = `place-${++places}/`;
    const token = await consul.createToken(`key_prefix "${prefix}" { policy = "write" }`);
    const { endpoints } = consul;
    const config = { kind: 'consul', endpoints, token, prefix, requestTimeoutMs: 5000, ...more };
    return consulStoreSchema.parse(config);
  };
  const onPlain = async () => {
    const config = await configure();
    return { open: () => openConsulStore(config, systemClock), remove: async () => {} };
  };

  describeStore('consul', onPlain);
  describeBallots('consul', onPlain);
  describeHomes('consul', async () => {
    const store = await configure();
    return { open: () => openHomes({ store, services }, systemClock, never), remove: async () => {} };
  });

  describeLostAnswers(async () => {
    const config = await configure();
    return {
      good: consul.endpoints[0] ?? '',
      operationOf: ({ url }) => (url === '/v1/txn' ? 'commit' : 'read'),
      open: (endpoints, requestTimeoutMs) =>
        openConsulStore({ ...config, endpoints: [...endpoints], requestTimeoutMs }, systemClock),
      keepsHistory: false,
    };
  });

  describeLeaderFaults(async () => {
    const config = await configure({ requestTimeoutMs: 1000 });
    const [one, two, three] = consul.endpoints as [string, string, string];
    const turns = [
      [one, two, three],
      [two, three, one],
      [three, one, two],
    ];
    return {
      leader: () => consul.leader(),
      signal: (server, name) => consul.signal(server, name),
      start: (server) => consul.start(server),
      open: (server) => openConsulStore({ ...config, endpoints: turns[server] }, systemClock),
    };
  });
});
