import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accept } from '../../../src/discover/accept.ts';
import type { Sighting } from '../../../src/discover/source.ts';

const good = {
  id: 'i-1',
  name: 'web-1',
  address: '10.0.0.1',
  port: 80,
  group: 'web',
  zone: 'a',
  weight: 5,
  priority: 0,
};
const refusalOf = (fields: Partial<Sighting>) => {
  const { targets, refusals } = accept([{ ...good, ...fields }]);
  expect(targets).toEqual([]);
  return refusals[0];
};

describe('accept', () => {
  it('takes a sighting whole, and one without port, zone, weight and priority', () => {
    expect(accept([good])).toEqual({ targets: [good], refusals: [] });
    const bare = { id: 'i-1', name: 'web-1', address: '10.0.0.1', group: 'web' };
    expect(accept([{ ...bare, port: null, zone: undefined }])).toEqual({ targets: [bare], refusals: [] });
  });

  it.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:10.0.0.9', '10.0.0.9'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['fd00::1', 'fd00::1'],
  ])('gives the address %s its one form, %s', (address, canonical) => {
    expect(accept([{ ...good, address }]).targets[0]?.address).toBe(canonical);
  });

  it.each([
    'web.example.org',
    '010.0.0.1',
    '10.1',
    '10.0.0.1/24',
    '10.0.0.1:80',
    ' 10.0.0.1',
    '[::1]',
    '2001:db8::1%eth0',
    'fe80::1',
    '::ffff:169.254.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    '',
    undefined,
    42,
    ['10.0.0.1'],
  ])('refuses the address %j', (address) => {
    expect(refusalOf({ address })?.reason).toMatch(/^address is /);
  });

  it.each([
    ['port', 0],
    ['port', 70_000],
    ['port', '80'],
    ['port', 1.5],
    ['port', Number.NaN],
    ['weight', 0],
    ['weight', 300],
    ['weight', '5'],
    ['priority', -1],
    ['priority', 65_536],
    ['id', 'a;b'],
    ['id', ''],
    ['id', 7],
    ['name', 'a\nb'],
    ['name', 'a<<b'],
    ['name', 'a b'],
    ['name', 'a\n'],
    ['group', undefined],
    ['zone', 'x'.repeat(256)],
  ])('refuses the %s %j with a reason that names it', (field, value) => {
    expect(refusalOf({ [field]: value })?.reason).toMatch(new RegExp(`^${field} is .*, expected `));
  });

  it('says what was wrong, with what and what would have been right', () => {
    expect(refusalOf({ port: 70_000 })).toEqual({
      name: 'web-1 (i-1)',
      reason: 'port is 70000, expected an integer from 1 to 65535',
    });
    expect(refusalOf({ id: undefined, name: 'a;show env' })).toEqual({
      name: 'a;show env',
      reason: 'id is undefined, expected 1 to 255 of A-Z a-z 0-9 _ . : / @ + -',
    });
    expect(refusalOf({ id: undefined, name: {}, address: {} })?.name).toBe('entry 1');
  });

  it('shows a name of 20 kB cut to 80 printable characters', () => {
    const name = refusalOf({ id: 'i', name: `\u001b[2J\u202e${'x'.repeat(20_000)}` })?.name;
    expect(name).toMatch(/^\?\[2J\?x+\.\.\.$/);
    expect(name).toHaveLength(80);
  });

  it('keeps the first of two with one id or one endpoint, and lets one address serve on two ports', () => {
    const { targets, refusals } = accept([
      good,
      { ...good, address: '10.0.0.2' },
      { ...good, id: 'i-2', name: 'web-2', address: '::ffff:10.0.0.1' },
      { ...good, id: 'i-3', port: 81 },
      { ...good, id: 'i-4', port: undefined },
    ]);
    expect(targets.map(({ id }) => id)).toEqual(['i-1', 'i-3', 'i-4']);
    expect(refusals).toEqual([
      { name: 'web-1 (i-1)', reason: 'id "i-1" belongs to "web-1 (i-1)" of group "web" already' },
      { name: 'web-2 (i-2)', reason: 'address 10.0.0.1 with port 80 belongs to "web-1 (i-1)" already' },
    ]);
  });

  it('lets nothing hostile through and loses nothing, whatever is reported', () => {
    const plain = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'a;b', '__proto__', 1),
      name: fc.constantFrom('n', 'm\n', '\ud800'),
      address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.1', '::ffff:10.0.0.1', '1.2')),
      port: fc.option(fc.integer({ min: -1, max: 65_537 })),
      group: fc.constantFrom('web', ' ', null),
      zone: fc.option(fc.string()),
      weight: fc.option(fc.integer({ min: -1, max: 258 })),
      priority: fc.option(fc.integer({ min: -2, max: 65_537 })),
    });
    const wild = fc.record({
      id: fc.anything(),
      name: fc.anything({ withNullPrototype: true, withBigInt: true }),
      address: fc.anything(),
      port: fc.anything(),
      group: fc.anything(),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(plain, wild)), (sightings) => {
        const { targets, refusals } = accept(sightings);
        expect(targets.length + refusals.length).toBe(sightings.length);
        for (const target of targets) {
          for (const text of [target.id, target.name, target.group, target.zone ?? 'a']) {
            expect(text).toMatch(/^[A-Za-z0-9_.:/@+-]{1,255}$/);
          }
          expect(isIP(target.address)).not.toBe(0);
          if (target.port !== undefined) expect(target.port > 0 && target.port < 65_536).toBe(true);
          if (target.weight !== undefined) expect(target.weight > 0 && target.weight < 257).toBe(true);
        }
        for (const { name, reason } of refusals) {
          expect(name).toMatch(/^[\x20-\x7e]{1,80}$/);
          expect(reason).toMatch(/^[\x20-\x7e]{1,400}$/);
        }
        expect(new Set(targets.map(({ id }) => id)).size).toBe(targets.length);
        expect(new Set(targets.map(({ address, port }) => `${address} ${port}`)).size).toBe(targets.length);
        expect(accept(targets)).toEqual({ targets, refusals: [] });
      }),
    );
  });
});
