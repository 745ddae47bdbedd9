import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { consulSchema, createConsulSource } from '../../src/discover/consul.ts';
import type { DiscoverySource } from '../../src/discover/source.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { type ConsulAgent, startConsul } from '../fixtures/consul.ts';
import { targetsOf } from '../fixtures/sources.ts';
import { type StandIn, startStandIn } from '../fixtures/stand-in.ts';
import { until } from '../fixtures/until.ts';

const never = new AbortController().signal;
const register = (agent: ConsulAgent, Name: string, number: number) =>
  agent.register({ ID: `${Name}-${number}`, Name, Address: `10.0.0.${number}`, Port: 80 });

describeWith(['consul'], 'the source consul after a hint of a real agent', () => {
  let agent: ConsulAgent;
  let recorder: StandIn;
  /** Holds the answers of reads that do not wait for a change, once Consul has given them. */
  let held: Promise<void> | undefined;
  let heldReads = 0;
  beforeAll(async () => {
    agent = await startConsul();
  });
  afterAll(() => agent.stop());
  beforeEach(async () => {
    recorder = await startStandIn(async ({ method, url, body }, response) => {
      const answer = await fetch(`${agent.url}${url}`, { method, ...(method === 'POST' ? { body } : {}) });
      if (held && !url.includes('index=')) {
        heldReads += 1;
        await held;
      }
      const headers = ['content-type', 'x-consul-index', 'x-consul-knownleader'];
      for (const name of headers) response.setHeader(name, answer.headers.get(name) ?? '');
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  afterEach(async () => {
    await recorder.stop();
    const services = (await agent.call('GET', '/agent/services')) as Record<string, unknown>;
    for (const id of Object.keys(services)) await agent.deregister(id);
  });
  /** Its clock stands still, so that a slow machine cannot make an answer too old. */
  const recorded = (services: readonly string[]) => {
    const config = consulSchema.parse({ kind: 'consul', url: recorder.url, services, waitSeconds: 5 });
    return createConsulSource(config, { aws: {}, clock: { ...systemClock, monotonic: () => 0 } });
  };
  /** Reads of a service's list that did not wait for a change. */
  const reads = (service: string) =>
    recorder.requests.filter(({ url }) => url.includes(`/health/service/${service}`) && !url.includes('index=')).length;

  /** Consul may wake for less than the change first. Gives the number of times that the source was asked. */
  const wakesUntil = async (source: DiscoverySource, number: number) => {
    for (let discovers = 1; ; discovers += 1) {
      if ((await targetsOf(source)).length === number) return discovers;
      await source.changed?.(never);
    }
  };

  it('does not ask again for the list that came with the hint, and reads in full the next time', async () => {
    const source = recorded(['web']);
    await register(agent, 'web', 1);
    expect(await targetsOf(source)).toHaveLength(1);
    expect(reads('web')).toBe(1);
    for (const number of [2, 3, 4]) {
      const woken = source.changed?.(never);
      await register(agent, 'web', number);
      await woken;
      await wakesUntil(source, number);
      expect(reads('web')).toBe(1);
    }
    expect(await targetsOf(source)).toHaveLength(4);
    expect(reads('web')).toBe(2);
  });

  it('keeps the newer list that a hint brings while a read is under way', async () => {
    const source = recorded(['web']);
    await register(agent, 'web', 1);
    await targetsOf(source);
    const woken = source.changed?.(never);
    let letGo = () => {};
    held = new Promise((resolve) => {
      letGo = resolve;
    });
    const reading = targetsOf(source);
    await until('Consul has answered the read', () => heldReads === 1);
    await register(agent, 'web', 2);
    await woken;
    letGo();
    held = undefined;
    expect(await reading).toHaveLength(1);
    const asked = reads('web');
    await targetsOf(source);
    expect(reads('web')).toBe(asked);
    await wakesUntil(source, 2);
  });

  it('reads the other services of the source anew', async () => {
    const source = recorded(['web', 'api']);
    for (const name of ['web', 'api']) await register(agent, name, name === 'web' ? 1 : 2);
    expect(await targetsOf(source)).toHaveLength(2);
    const woken = source.changed?.(never);
    await register(agent, 'web', 3);
    await woken;
    const discovers = await wakesUntil(source, 3);
    expect([reads('web'), reads('api')]).toEqual([1, 1 + discovers]);
  });

  it('asks for proof when the list that came is empty, and reads it anew after that', async () => {
    const source = recorded(['web']);
    await register(agent, 'web', 1);
    await targetsOf(source);
    const woken = source.changed?.(never);
    await agent.deregister('web-1');
    await woken;
    expect(await targetsOf(source)).toEqual([]);
    expect(reads('web')).toBe(2);
    expect(recorder.requests.map(({ url }) => url)).toContain('/v1/internal/acl/authorize');
  });
});
