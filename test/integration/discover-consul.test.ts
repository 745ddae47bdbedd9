import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { type ConsulAgent, startConsul } from '../fixtures/consul.ts';
import { sourceOf, targetsOf } from '../fixtures/sources.ts';
import { until } from '../fixtures/until.ts';

const consulOf = (agent: ConsulAgent, fields: Record<string, unknown> = {}) =>
  sourceOf({ kind: 'consul', url: agent.url, services: ['web'], waitSeconds: 5, ...fields });
const web = (id: string, fields: object = {}) => ({ ID: id, Name: 'web', Address: '10.0.0.1', Port: 8080, ...fields });
const never = new AbortController().signal;

describeWith(['consul'], 'the source consul on a real agent', () => {
  let agent: ConsulAgent;
  beforeAll(async () => {
    agent = await startConsul();
  });
  afterAll(() => agent.stop());
  afterEach(async () => {
    const services = (await agent.call('GET', '/agent/services')) as Record<string, unknown>;
    for (const id of Object.keys(services)) await agent.deregister(id);
  });

  it('reports passing instances with node, service address, port, group, zone and weight', async () => {
    await agent.register(web('web-1', { Meta: { weight: '7' } }));
    await agent.register({ ID: 'web-2', Name: 'web', Port: 81 });
    await agent.register(web('web-3', { Address: '2001:DB8::3' }));
    expect(await targetsOf(consulOf(agent))).toEqual([
      { id: 'node-1/web-1', name: 'node-1', address: '10.0.0.1', port: 8080, group: 'web', zone: 'dc1', weight: 7 },
      { id: 'node-1/web-2', name: 'node-1', address: '127.0.0.1', port: 81, group: 'web', zone: 'dc1' },
      { id: 'node-1/web-3', name: 'node-1', address: '2001:db8::3', port: 8080, group: 'web', zone: 'dc1' },
    ]);
  });

  it('reports several services, those with all tags, and what a filter lets through', async () => {
    await agent.register(web('a', { Tags: ['live', 'v2'] }));
    await agent.register(web('b', { Tags: ['live'], Address: '10.0.0.2' }));
    await agent.register({ ID: 'c', Name: 'api', Address: '10.0.0.3', Port: 1 });
    const idsOf = async (fields: object) =>
      (await targetsOf(consulOf(agent, { ...fields }))).map(({ id, group }) => `${id} ${group}`);
    expect(await idsOf({ services: ['web', 'api'] })).toEqual(['node-1/a web', 'node-1/b web', 'node-1/c api']);
    expect(await idsOf({ tags: ['live'] })).toEqual(['node-1/a web', 'node-1/b web']);
    expect(await idsOf({ tags: ['live', 'v2'] })).toEqual(['node-1/a web']);
    expect(await idsOf({ filter: 'Service.Address == "10.0.0.2"' })).toEqual(['node-1/b web']);
    await expect(idsOf({ filter: 'this is no filter' })).rejects.toThrow(/^Cannot read service "web" of Consul at/);
    await expect(idsOf({ datacenter: 'elsewhere' })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuses hostile instances by name and keeps the others', async () => {
    await agent.register(web('a-good-one'));
    await agent.register(web('bad;show env', { Address: '10.0.0.2' }));
    await agent.register(web('named', { Address: 'web.example.org' }));
    await agent.register(web('port', { Address: '10.0.0.4', Port: 70_000 }));
    await agent.register(web('heavy', { Address: '10.0.0.5', Meta: { weight: '300' } }));
    await agent.register(web('twin'));
    const refused = ['bad;show env', 'heavy', 'named', 'port', 'twin'].map((id) => `node-1 (node-1/${id})`);
    const targets = await targetsOf(consulOf(agent), refused);
    expect(targets.map(({ id }) => id)).toEqual(['node-1/a-good-one']);
  });

  it('believes that a service without instances has none, where no ACL can hide them', async () => {
    expect(await targetsOf(consulOf(agent, { services: ['never-seen'] }))).toEqual([]);
  });

  it('leaves out an instance while it is critical', async () => {
    await agent.register(web('a', { Check: { TTL: '60s', Status: 'passing' } }));
    const source = consulOf(agent);
    expect(await targetsOf(source)).toHaveLength(1);
    const woken = source.changed?.(never);
    await agent.call('PUT', '/agent/check/fail/service:a');
    await woken;
    expect(await targetsOf(source)).toEqual([]);
    await agent.call('PUT', '/agent/check/pass/service:a');
    await until('it passes again', async () => (await targetsOf(source)).length === 1);
  });

  it('wakes for an instance that came or went in any service, also between the read and the wait', async () => {
    const source = consulOf(agent, { services: ['web', 'api'] });
    await targetsOf(source);
    const woken = source.changed?.(never);
    await agent.register({ ID: 'x', Name: 'api', Address: '10.0.0.9', Port: 1 });
    await woken;
    expect(await targetsOf(source)).toHaveLength(1);
    await agent.deregister('x');
    await source.changed?.(never);
    expect(await targetsOf(source)).toEqual([]);
  });

  it('lets go of a blocking query at once when it is told to', async () => {
    const source = consulOf(agent, { waitSeconds: 60 });
    await targetsOf(source);
    const own = new AbortController();
    const waiting = source.changed?.(own.signal);
    own.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describeWith(['consul'], 'the source consul on an agent that goes away', () => {
  it('does not know while it is away or without leader, and wakes when the catalog is back', async () => {
    const agent = await startConsul({ keepsState: true });
    try {
      await agent.register(web('a'));
      const source = consulOf(agent);
      await until('a is known', async () => (await targetsOf(source)).length === 1);
      await agent.kill();
      await expect(targetsOf(source)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(source.changed?.(never)).rejects.toMatchObject({ code: 'unavailable' });
      const answers: number[] = [];
      const back = agent.start();
      await until('the agent answers again', async () => {
        answers.push((await targetsOf(source)).length);
        return answers.at(-1) === 1;
      });
      await back;
      expect(answers).not.toContain(0);
    } finally {
      await agent.stop();
    }
  });
});

describeWith(['consul'], 'the source consul behind ACLs', () => {
  let agent: ConsulAgent;
  const readable = 'service "web" { policy = "read" } node_prefix "" { policy = "read" }';
  beforeAll(async () => {
    agent = await startConsul({ acl: 'deny' });
  });
  afterAll(() => agent.stop());
  afterEach(() => agent.deregister('a').catch(() => {}));

  it('reads with a token that may, and believes it that nothing is there', async () => {
    const { secret } = await agent.createToken(readable);
    const source = consulOf(agent, { token: secret });
    expect(await targetsOf(source)).toEqual([]);
    await agent.register(web('a'));
    expect(await targetsOf(source)).toHaveLength(1);
  });

  it.each([
    ['nobody', undefined],
    ['a token without the service', 'node_prefix "" { policy = "read" }'],
    ['a token without nodes', 'service "web" { policy = "read" }'],
    ['a token with other nodes only', 'service "web" { policy = "read" } node "other" { policy = "read" }'],
  ])('does not take the empty answer to %s for no instances', async (_, rules) => {
    await agent.register(web('a'));
    const token = rules === undefined ? {} : { token: (await agent.createToken(rules)).secret };
    const reading = targetsOf(consulOf(agent, token));
    await expect(reading).rejects.toMatchObject({ code: 'rejected' });
    await expect(reading).rejects.toThrow(/needs service:read for "web" and node:read for all nodes/);
  });

  it('does not know any more once its token is revoked or loses its rights', async () => {
    await agent.register(web('a'));
    const [revoked, robbed] = [await agent.createToken(readable), await agent.createToken(readable)];
    const sources = [revoked, robbed].map(({ secret }) => consulOf(agent, { token: secret }));
    for (const source of sources) expect(await targetsOf(source)).toHaveLength(1);
    await agent.call('DELETE', `/acl/token/${revoked.accessor}`);
    await agent.call('PUT', `/acl/policy/${robbed.policy}`, { ID: robbed.policy, Name: robbed.policy, Rules: '' });
    for (const source of sources) await expect(targetsOf(source)).rejects.toMatchObject({ code: 'rejected' });
  });

  it('never shows its token', async () => {
    const reading = targetsOf(consulOf(agent, { token: 'a-secret-that-is-wrong' }));
    const error: unknown = await reading.catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'rejected' });
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('a-secret');
  });
});

describeWith(['consul'], 'the source consul where ACLs allow by default', () => {
  it('believes an empty answer to nobody in particular, and not one to an unknown token', async () => {
    const agent = await startConsul({ acl: 'allow' });
    try {
      expect(await targetsOf(consulOf(agent))).toEqual([]);
      await expect(targetsOf(consulOf(agent, { token: 'unknown' }))).rejects.toMatchObject({ code: 'rejected' });
    } finally {
      await agent.stop();
    }
  });
});
