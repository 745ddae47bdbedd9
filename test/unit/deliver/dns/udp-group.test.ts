import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import type { Responder } from '../../../../src/deliver/dns/responder.ts';
import { isWildcard, localAddresses } from '../../../../src/deliver/dns/transport/local-addresses.ts';
import { openUdpGroup } from '../../../../src/deliver/dns/transport/udp-group.ts';
import type { UdpListener } from '../../../../src/deliver/dns/transport/udp-listener.ts';
import { udpClient, udpTransports } from '../../../fixtures/udp.ts';
import { until } from '../../../fixtures/until.ts';

const echo: Responder = {
  now(query, start, length, _asker, reply) {
    reply.set(query.subarray(start, start + length));
    return length;
  },
  later() {},
};

const clean: (() => void)[] = [];
afterEach(() => {
  for (const close of clean.splice(0)) close();
});

const transports = await udpTransports();

describe.each(Object.entries(transports))('all addresses of a machine by %s', (_name, openAt) => {
  /** A group on 0.0.0.0 of a machine that has the addresses that `present` holds at the moment. */
  async function start(present: string[], port = 0) {
    const open: UdpListener[] = [];
    const group = await openUdpGroup(
      { endpoint: { host: '0.0.0.0', port } },
      {
        open: async (place) => {
          const listener = await openAt(place.endpoint, echo);
          open.push(listener);
          return listener;
        },
        drop: (listener) => listener.close(),
        localAddresses: () => present,
      },
    );
    clean.push(() => {
      for (const listener of open) listener.close();
    });
    const hosts = () => group.listeners().map(({ endpoint }) => `${endpoint.host}:${endpoint.port}`);
    return { group, hosts, port: group.endpoint.port };
  }

  it('answer from the one that was asked, all on one port', async () => {
    const { group, port } = await start(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    expect(group.endpoint).toEqual({ host: '0.0.0.0', port: expect.any(Number) });
    const asking = await udpClient('127.0.0.1');
    clean.push(asking.close);
    const hosts = ['127.0.0.3', '127.0.0.1', '127.0.0.2', '127.0.0.3'];
    for (const host of hosts) asking.send(new TextEncoder().encode(host), { host, port });
    await until('all answers', () => asking.heard.length === hosts.length);
    for (const { bytes, from } of asking.heard) expect(from.address).toBe(new TextDecoder().decode(bytes));
  });

  it('are followed as they come and go', async () => {
    const present = ['127.0.0.1'];
    const { group, hosts, port } = await start(present);
    expect(await group.follow()).toBe(false);
    present.push('127.0.0.2');
    expect(await group.follow()).toBe(true);
    expect(hosts()).toEqual([`127.0.0.1:${port}`, `127.0.0.2:${port}`]);
    present.shift();
    expect(await group.follow()).toBe(true);
    expect(hosts()).toEqual([`127.0.0.2:${port}`]);
    present.unshift('127.0.0.1');
    expect(await group.follow()).toBe(true);
    expect(hosts()).toEqual([`127.0.0.2:${port}`, `127.0.0.1:${port}`]);
  });

  it('may be missing at first and come later', async () => {
    const present = ['192.0.2.1', '127.0.0.1'];
    const { group, hosts, port } = await start(present);
    expect(hosts()).toEqual([`127.0.0.1:${port}`]);
    present[0] = '127.0.0.9';
    expect(await group.follow()).toBe(true);
    expect(hosts()).toEqual([`127.0.0.1:${port}`, `127.0.0.9:${port}`]);
  });

  it('are given up together when one of them is taken, and tried again when that happens later', async () => {
    const taken = await openAt({ host: '127.0.0.2', port: 0 }, echo);
    const { port } = taken.endpoint;
    await expect(start(['127.0.0.1', '127.0.0.2'], port)).rejects.toThrow(`udp "127.0.0.2:${port}": EADDRINUSE`);
    const present = ['127.0.0.1'];
    const { group, hosts } = await start(present, port);
    present.push('127.0.0.2');
    expect(await group.follow()).toBe(false);
    taken.close();
    await until('the address to be free', () => group.follow());
    expect(hosts()).toEqual([`127.0.0.1:${port}`, `127.0.0.2:${port}`]);
  });
});

describe('the addresses of this machine', () => {
  it('are those of all interfaces, by version, without those that are valid on one link only', () => {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    expect(localAddresses('0.0.0.0')).toContain('127.0.0.1');
    for (const address of localAddresses('0.0.0.0')) expect(address).toMatch(/^[0-9.]+$/);
    for (const address of localAddresses('::')) expect(address).toMatch(/^(?!fe80).*:/);
    expect(localAddresses('::').length + localAddresses('0.0.0.0').length).toBeLessThanOrEqual(all.length);
  });

  it('are meant by 0.0.0.0 and :: in every spelling, and by nothing else', () => {
    expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::0'].map(isWildcard)).toEqual([true, true, true, true]);
    expect(['127.0.0.1', '::1', '0.0.0.1', '10.0.0.0'].map(isWildcard)).toEqual([false, false, false, false]);
  });
});
