import { afterAll, beforeAll } from 'vitest';
import { openHomes } from '../../src/publish/homes.ts';
import { etcdSchema, openEtcdStore } from '../../src/store/etcd.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Etcd, nextPrefix, startEtcd } from '../fixtures/etcd.ts';
import { describeBallots } from './ballots-suite.ts';
import { describeHomes } from './homes-suite.ts';
import { describeLostAnswers } from './lost-answers-suite.ts';
import { describeLeaderFaults } from './store-leader-suite.ts';
import { never } from './store-place.ts';
import { describeStore } from './store-suite.ts';

const services = [{ name: 'web', weight: { min: 1, increase: 1, intervalSeconds: 30 } }];

describeWith(['etcd'], 'etcd', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());
  const configure = (more: object) =>
    etcdSchema.parse({ kind: 'etcd', endpoints: etcd.endpoints, requestTimeoutMs: 5000, ...more });
  const onPlain = async () => {
    const config = configure({ prefix: nextPrefix() });
    const open = async () => {
      const store = await openEtcdStore(config, systemClock);
      // A hint covers what comes after the first answer.
      await store.get('warm', never);
      return store;
    };
    return { open, remove: async () => {} };
  };

  describeStore('etcd', onPlain);
  describeBallots('etcd', onPlain);
  describeHomes('etcd', async () => {
    const store = configure({ prefix: nextPrefix() });
    return { open: () => openHomes({ store, services }, systemClock, never), remove: async () => {} };
  });

  describeLostAnswers(async () => {
    const prefix = nextPrefix();
    return {
      good: etcd.endpoints[0] ?? '',
      operationOf: (_, body) => (body.includes('"compare"') ? 'commit' : 'read'),
      open: (endpoints, requestTimeoutMs) =>
        openEtcdStore(configure({ endpoints, prefix, requestTimeoutMs }), systemClock),
      keepsHistory: true,
    };
  });

  describeLeaderFaults(async () => {
    const prefix = nextPrefix();
    const [one, two, three] = etcd.endpoints as [string, string, string];
    const turns = [
      [one, two, three],
      [two, three, one],
      [three, one, two],
    ];
    return {
      leader: () => etcd.leader(),
      signal: (member, name) => etcd.signal(member, name),
      start: (member) => etcd.start(member),
      open: (member) => {
        const config = configure({ endpoints: turns[member], prefix, requestTimeoutMs: 1000 });
        return openEtcdStore(config, systemClock);
      },
    };
  });
});
