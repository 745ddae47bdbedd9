import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { consulSchema, createConsulSource } from '../../../src/discover/consul.ts';
import type { DiscoverySource } from '../../../src/discover/source.ts';
import { createFakeClock, type FakeClock } from '../../fixtures/clock.ts';
import { type StandIn, startStandIn } from '../../fixtures/stand-in.ts';
import { until } from '../../fixtures/until.ts';

const never = new AbortController().signal;
const instance = (id: string) => ({ Node: { Node: 'n' }, Service: { ID: id, Address: '10.0.0.1', Port: 80 } });

/** Answers of Consul that are given when the test says so, to see which of them a source takes. */
describe('the answer of a blocking query of the source consul', () => {
  let consul: StandIn | undefined;
  let source: DiscoverySource;
  let clock: FakeClock;
  /** What is waiting for an answer. */
  let held: { readonly isBlocking: boolean; readonly response: ServerResponse }[] = [];
  const start = async () => {
    held = [];
    consul = await startStandIn(({ url }, response) => {
      if (url.includes('/acl/authorize')) return void response.writeHead(403).end('Permission denied');
      held.push({ isBlocking: url.includes('index='), response });
    });
    clock = createFakeClock();
    const config = consulSchema.parse({ kind: 'consul', url: consul.url, services: ['web'] });
    source = createConsulSource(config, { aws: {}, clock });
  };
  afterEach(() => consul?.stop());

  const next = async (isBlocking: boolean) => {
    const found = () => held.findIndex((one) => one.isBlocking === isBlocking);
    await until(isBlocking ? 'a blocking query' : 'a read', () => found() >= 0);
    return held.splice(found(), 1)[0]?.response as ServerResponse;
  };
  const answer = (response: ServerResponse, ids: readonly string[], index: string, headers = {}) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': index, ...headers });
    response.end(JSON.stringify(ids.map(instance)));
  };
  /** A discover that has to ask, and is answered. */
  const read = async (ids: readonly string[], index: string) => {
    const reading = source.discover(never);
    answer(await next(false), ids, index);
    return idsOf(await reading);
  };
  const idsOf = (sightings: readonly { readonly id: unknown }[]) => sightings.map(({ id }) => id);

  it('is what the next discover says, once', async () => {
    await start();
    expect(await read(['a'], '7')).toEqual(['n/a']);
    const woken = source.changed?.(never);
    answer(await next(true), ['a', 'b'], '8');
    await woken;
    expect(idsOf(await source.discover(never))).toEqual(['n/a', 'n/b']);
    expect(consul?.requests).toHaveLength(2);
    expect(await read(['c'], '8')).toEqual(['n/c']);
    void source.changed?.(never).catch(() => {});
    await next(true);
    expect(consul?.requests.at(-1)?.url).toContain('index=8');
  });

  it('is left alone when the next discover does not follow directly', async () => {
    await start();
    await read(['a'], '7');
    const woken = source.changed?.(never);
    answer(await next(true), ['b'], '8');
    await woken;
    await clock.advance(251);
    expect(await read(['c'], '9')).toEqual(['n/c']);
  });

  it('is left alone when a discover saw more while it was under way', async () => {
    await start();
    await read(['a'], '7');
    const woken = source.changed?.(never);
    const blocked = await next(true);
    await read(['a', 'b', 'c'], '9');
    answer(blocked, ['a', 'b'], '8');
    await woken;
    expect(await read(['d'], '10')).toEqual(['n/d']);
  });

  it('is what the next discover says when it came in during one that saw less, or failed', async () => {
    await start();
    await read(['a'], '7');
    for (const [before, brought, status] of [
      ['7', '8', 200],
      ['8', '9', 500],
    ] as const) {
      const woken = source.changed?.(never);
      const [blocked, reading] = [await next(true), source.discover(never).catch(() => [])];
      const asked = await next(false);
      answer(blocked, ['a', brought], brought);
      await woken;
      if (status === 200) answer(asked, ['a'], before);
      else asked.writeHead(status).end();
      await reading;
      expect(idsOf(await source.discover(never))).toEqual(['n/a', `n/${brought}`].sort());
    }
  });

  it('is left alone when it came in during a discover that saw as much, or that saw Consul start over', async () => {
    await start();
    await read(['a'], '7');
    for (const seen of ['8', '2']) {
      const woken = source.changed?.(never);
      const [blocked, reading] = [await next(true), source.discover(never)];
      const asked = await next(false);
      answer(blocked, ['b'], seen === '8' ? '8' : '1');
      await woken;
      answer(asked, ['c'], seen);
      await reading;
      expect(await read(['d'], seen)).toEqual(['n/d']);
    }
  });

  it('is left alone when a streaming agent gave it, which cannot say that an ACL took something out', async () => {
    await start();
    await read(['a', 'b'], '7');
    const woken = source.changed?.(never);
    answer(await next(true), ['a'], '8', { 'x-consul-query-backend': 'streaming' });
    await woken;
    const reading = source.discover(never);
    answer(await next(false), ['a'], '8', { 'x-consul-results-filtered-by-acls': 'true' });
    await expect(reading).rejects.toMatchObject({ code: 'rejected' });
  });

  it.each([{ 'x-consul-knownleader': 'false' }, { 'x-consul-results-filtered-by-acls': 'true' }])(
    'is an error with %o, and the next discover asks anew',
    async (headers) => {
      await start();
      await read(['a'], '7');
      const woken = source.changed?.(never);
      answer(await next(true), ['b'], '8', headers);
      await expect(woken).rejects.toThrow(/^Cannot read service "web"/);
      expect(await read(['c'], '9')).toEqual(['n/c']);
    },
  );

  it('is not believed when it is empty and the token may not read', async () => {
    await start();
    await read(['a'], '7');
    const woken = source.changed?.(never);
    answer(await next(true), [], '8');
    await woken;
    await expect(source.discover(never)).rejects.toMatchObject({ code: 'rejected' });
  });
});
