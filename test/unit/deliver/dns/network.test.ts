import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkList } from '../../../../src/deliver/dns/config.ts';
import { addressBytes, createNetworkMatcher } from '../../../../src/deliver/dns/network.ts';

/** Few bits vary, so that addresses and networks often meet. */
const four = fc.tuple(
  fc.constantFrom(0, 10, 127, 255),
  fc.constantFrom(0, 1, 128),
  fc.constantFrom(0, 255),
  fc.nat(255),
);
const ipv4 = four.map((bytes) => bytes.join('.'));
const group = fc.constantFrom('0', '1', 'ffff', 'fe80', 'fc00', '8000', 'a00');
const ipv6 = fc.oneof(
  fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
  ipv4.map((text) => `::ffff:${text}`),
  ipv4.map((text) => `::${text}`),
);
const address = fc.oneof(ipv4, ipv6);
const network = fc.oneof(
  address,
  fc.tuple(ipv4, fc.nat(32)).map(([text, bits]) => `${text}/${bits}`),
  fc.tuple(ipv6, fc.nat(128)).map(([text, bits]) => `${text}/${bits}`),
);

describe('the networks of a configuration', () => {
  it('hold exactly the addresses that net.BlockList finds in them', () => {
    fc.assert(
      fc.property(fc.array(network, { maxLength: 4 }), address, (networks, text) => {
        const expected = networkList(networks).check(text, isIP(text) === 4 ? 'ipv4' : 'ipv6');
        expect(createNetworkMatcher(networks)(addressBytes(text))).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('hold their first and last address and neither neighbour', () => {
    const matches = createNetworkMatcher(['172.16.0.0/12', '2001:db8::/33']);
    const found = ['172.16.0.0', '172.31.255.255', '2001:db8::', '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff'];
    const missed = ['172.15.255.255', '172.32.0.0', '2001:db7:ffff::', '2001:db8:8000::'];
    expect(found.filter((text) => !matches(addressBytes(text)))).toEqual([]);
    expect(missed.filter((text) => matches(addressBytes(text)))).toEqual([]);
  });

  it('are empty when none is given', () => {
    expect(createNetworkMatcher([])(addressBytes('127.0.0.1'))).toBe(false);
  });
});
