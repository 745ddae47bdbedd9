import { describe, expect, it } from 'vitest';
import { haproxyUnchanged, isDown, namesAgree, nobodyMoved, seating, serves } from '../../../src/demo/expect.ts';
import type { HaproxyServer } from '../../../src/demo/runtime.ts';
import type { Sight } from '../../../src/demo/sight.ts';
import type { DemoTarget } from '../../../src/demo/targets.ts';

const server = (changed: Partial<HaproxyServer> = {}): HaproxyServer => ({
  index: 1,
  address: '127.77.0.1',
  port: 80,
  admin: 'ready',
  isUp: true,
  weight: 10,
  ...changed,
});

const target: DemoTarget = {
  name: 'web-1',
  address: '127.77.0.1',
  port: 80,
  requests: () => 0,
  setReady: () => {},
  crash: () => {},
  repair: async () => {},
};

function sight(servers: readonly HaproxyServer[], slot = 1, weight = 10, out?: string): Sight {
  const { name, address, port } = target;
  const slots = [
    { index: slot, state: 'taken' as const, target: { name, address, port }, weight, ...(out ? { out } : {}) },
  ];
  return {
    haproxy: { workerPid: 1, version: '2.6.12', servers },
    api: { slots, isLeader: true, epoch: 1, revision: 1, held: [] },
    names: { addresses: [target.address], servers: [{ index: slot, port: target.port, weight }] },
  };
}

describe('what the story expects', () => {
  it('of a serving target is the address, state and weight of its slot in HAProxy itself', () => {
    expect(serves(target)(sight([server()]))).toBeUndefined();
    expect(serves(target)({})).toBe('HAProxy does not answer on its socket');
    expect(serves(target)(sight([]))).toBe('web-1 has no slot');
    expect(serves(target)(sight([server({ address: '127.0.0.2' })]))).toContain('has 127.0.0.2:80 in HAProxy');
    expect(serves(target)(sight([server({ admin: 'drain' })]))).toBe('HAProxy has web-1 in drain, expected ready');
    expect(serves(target)(sight([server({ isUp: false })]))).toBe('HAProxy has web-1 down, expected up');
    expect(serves(target)(sight([server({ weight: 1 })]))).toBe('HAProxy gives web-1 weight 1, expected 10');
    expect(serves(target, { atFullWeight: true })(sight([server({ weight: 3 })], 1, 3))).toContain('expected 10');
  });

  it('of a serving target is that DNS names it, too, with the weight that the list says', () => {
    const named = (weight: number) => ({ addresses: [target.address], servers: [{ index: 1, port: 80, weight }] });
    expect(serves(target)({ ...sight([server()]), names: named(10) })).toBeUndefined();
    expect(serves(target)({ ...sight([server()]), names: named(3) })).toBe('DNS gives web-1 weight 3, expected 10');
    const none = { addresses: [], servers: [] };
    expect(serves(target)({ ...sight([server()]), names: none })).toBe('DNS does not name web-1');
  });

  it('of a target that is down is that it keeps its slot and gets nothing, by any check and by any way', () => {
    const gone = server({ admin: 'drain', isUp: false });
    const names = { addresses: [], servers: [] };
    const of = (one: HaproxyServer, out?: string) => ({ ...sight([one], 1, 10, out), names });
    expect(isDown(target)(of(gone, 'down'))).toBeUndefined();
    expect(isDown(target)(of(gone))).toBe('hsdo lets web-1 serve, expected that it is out');
    expect(isDown(target)(of({ ...gone, isUp: true }, 'down'))).toBe('HAProxy has web-1 up, expected down');
    expect(isDown(target)(of({ ...gone, admin: 'ready' }, 'down'))).toContain('in ready, expected drain');
    const named = { addresses: ['127.77.0.1'], servers: [] };
    expect(isDown(target)({ ...of(gone, 'down'), names: named })).toBe('DNS names web-1, expected that it does not');
  });

  it('of DNS is that it names those to which HAProxy sends requests, by address, slot and port', () => {
    const servers = [server(), server({ index: 2, address: '127.77.0.2', isUp: false })];
    const names = { addresses: ['127.77.0.1'], servers: [{ index: 1, port: 80, weight: 10 }] };
    const said = (changed: Partial<typeof names>) => namesAgree({ ...sight(servers), names: { ...names, ...changed } });
    expect(said({})).toBeUndefined();
    expect(said({ addresses: ['127.77.0.1', '127.77.0.2'] })).toBe(
      'DNS names "127.77.0.1; 127.77.0.2", expected "127.77.0.1" as in HAProxy',
    );
    expect(said({ servers: [{ index: 1, port: 81, weight: 10 }] })).toBe(
      'DNS names "slot 1, port 81", expected "slot 1, port 80" as in HAProxy',
    );
    expect(said({ servers: [{ index: 1, port: 80, weight: 1 }] })).toBeUndefined();
    expect(said({ servers: [] })).toContain('DNS names "", expected');
    expect(namesAgree({})).toBe('HAProxy does not answer on its socket');
    const { haproxy } = sight(servers);
    expect(namesAgree(haproxy ? { haproxy } : {})).toBe('DNS does not answer');
  });

  it('is that nobody moves', () => {
    const before = seating(sight([server()]));
    expect(nobodyMoved(before)(sight([server()]))).toBeUndefined();
    expect(nobodyMoved(before)(sight([], 2))).toBe('web-1 moved from slot 1 to 2');
  });

  it('is an unchanged HAProxy whatever a free slot has for an address, as after a reload', () => {
    const free = server({ index: 2, admin: 'maint', isUp: false });
    const before = sight([server(), free]);
    expect(haproxyUnchanged(before)(sight([server(), { ...free, address: '127.0.0.2' }]))).toBeUndefined();
    expect(haproxyUnchanged(before)(sight([server({ isUp: false }), free]))).toContain('1 127.77.0.1:80 ready down');
    expect(haproxyUnchanged(before)({})).toBe('HAProxy does not answer on its socket');
  });
});
