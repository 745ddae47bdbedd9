import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { consulSchema, createConsulSource } from '../../../src/discover/consul.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { sourceOf, targetsOf } from '../../fixtures/sources.ts';
import { type Answer, type StandIn, startStandIn } from '../../fixtures/stand-in.ts';
import { until } from '../../fixtures/until.ts';

const never = new AbortController().signal;
const instance = {
  Node: { Node: 'node-1', Address: '10.0.0.1', Datacenter: 'dc1' },
  Service: { ID: 'web-1', Address: '', Port: 80, Meta: null },
};
const json = (response: ServerResponse, body: unknown, headers: Record<string, string> = {}) => {
  response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '7', ...headers });
  response.end(JSON.stringify(body));
};

/** What only a broken, foreign or newer Consul answers; the real one is tried in test/integration. */
describe('the source consul', () => {
  let consul: StandIn | undefined;
  afterEach(() => consul?.stop());
  const answering = async (answer: Answer) => {
    consul = await startStandIn(answer);
    return sourceOf({ kind: 'consul', url: `${consul.url}/`, services: ['web'] });
  };

  it('reads an instance without address of its own and without metadata', async () => {
    const source = await answering((_, response) => json(response, [instance]));
    expect(await targetsOf(source)).toEqual([
      { id: 'node-1/web-1', name: 'node-1', address: '10.0.0.1', port: 80, group: 'web', zone: 'dc1' },
    ]);
    expect(consul?.requests[0]?.url).toBe('/v1/health/service/web?passing=true');
  });

  it.each<[string, string, Answer]>([
    ['429', 'unavailable', (_, response) => void response.writeHead(429).end('Too many')],
    ['500', 'unavailable', (_, response) => void response.writeHead(500).end('No cluster leader')],
    ['403', 'rejected', (_, response) => void response.writeHead(403).end('Permission denied')],
    ['400', 'rejected', (_, response) => void response.writeHead(400).end('Bad filter')],
    ['no list', 'unavailable', (_, response) => json(response, { Node: {} })],
    ['no leader', 'unavailable', (_, response) => json(response, [instance], { 'x-consul-knownleader': 'false' })],
    [
      'hidden',
      'rejected',
      (_, response) => json(response, [instance], { 'x-consul-results-filtered-by-acls': 'true' }),
    ],
    [
      'half JSON',
      'unavailable',
      (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('[{'),
    ],
    [
      'a web page',
      'unavailable',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('[]'),
    ],
    ['a broken line', 'unavailable', (_, response) => void response.destroy()],
  ])('does not know when Consul answers with %s', async (_, code, answer) => {
    const source = await answering(answer);
    await expect(source.discover(never)).rejects.toMatchObject({ code });
    await expect(source.discover(never)).rejects.toThrow(/^Cannot read service "web" of Consul at "http:/);
  });

  it.each<[string, string, Answer]>([
    ['has no such question', 'unavailable', (_, response) => void response.writeHead(404).end('')],
    ['answers nonsense', 'unavailable', (_, response) => json(response, [{}])],
    ['says no', 'rejected', (_, response) => json(response, [{ Allow: true }, { Allow: false }])],
  ])('does not believe an empty answer when the question for the rights %s', async (_, code, rights) => {
    const source = await answering((request, response) =>
      request.url.startsWith('/v1/internal/') ? rights(request, response) : json(response, []),
    );
    await expect(source.discover(never)).rejects.toMatchObject({ code });
  });

  it('does not believe an empty answer where an agent without ACLs cannot show Consul itself', async () => {
    let isConsulShown = false;
    const source = await answering(({ url }, response) => {
      if (url.includes('/acl/authorize')) return void response.writeHead(401).end('ACL support disabled');
      json(response, url.includes('/service/consul') && isConsulShown ? [instance] : []);
    });
    await expect(source.discover(never)).rejects.toMatchObject({ code: 'rejected' });
    isConsulShown = true;
    expect(await source.discover(never)).toEqual([]);
  });

  it('refuses an instance of no known form by its place', async () => {
    const source = await answering((_, response) =>
      json(response, [
        instance,
        {},
        7,
        { Node: {}, Service: {} },
        { ...instance, Node: { Node: 'node-2' }, Service: {} },
      ]),
    );
    expect(await targetsOf(source, ['entry 2', 'entry 3', 'entry 4', 'node-2'])).toHaveLength(1);
  });

  it('asks an agent that does not block at most twice a second, and wakes when the index goes back', async () => {
    let index = '70';
    consul = await startStandIn((_, response) => json(response, [instance], { 'x-consul-index': index }));
    const clock = createFakeClock();
    const config = consulSchema.parse({ kind: 'consul', url: consul.url, services: ['web'], waitSeconds: 9 });
    const source = createConsulSource(config, { aws: {}, clock });
    await source.discover(never);
    let isWoken = false;
    const waiting = source.changed?.(never).then(() => {
      isWoken = true;
    });
    const asked = () => consul?.requests.filter(({ url }) => url.includes('index=70&wait=9000ms')).length ?? 0;
    for (let n = 1; n <= 3; n += 1) {
      await until(`question ${n}`, () => asked() === n);
      await clock.advance(499);
      expect(asked()).toBe(n);
      if (n === 3) index = '3';
      // The answer to the last question has to be in before the clock may count its rest.
      await until('the rest ends', async () => {
        await clock.advance(1);
        return asked() === n + 1;
      });
    }
    await waiting;
    expect(isWoken).toBe(true);
  });

  it('refuses to wait while it has no index to wait on', async () => {
    const source = await answering((_, response) => json(response, [instance], { 'x-consul-index': '0' }));
    await expect(source.changed?.(never)).rejects.toThrow('no index is known');
    await source.discover(never);
    await expect(source.changed?.(never)).rejects.toThrow('no index is known');
  });
});
