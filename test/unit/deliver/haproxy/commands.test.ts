import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalAddress,
  checkWanted,
  isFromOldWorker,
  refusalIn,
  renderSteps,
} from '../../../../src/deliver/haproxy/commands.ts';
import type { Step } from '../../../../src/deliver/haproxy/decide.ts';
import type { Wanted } from '../../../../src/deliver/haproxy/desired.ts';
import { checkCommand } from '../../../../src/deliver/haproxy/runtime-api.ts';

const render = (step: Step) => renderSteps('web', 'web1', [step])[0];

describe('a step as text', () => {
  it.each<[Step, string]>([
    [{ do: 'address', address: '10.0.0.1', port: 80 }, 'set server web/web1 addr 10.0.0.1 port 80'],
    [{ do: 'address', address: '2001:DB8::0:1', port: 80 }, 'set server web/web1 addr 2001:db8::1 port 80'],
    [{ do: 'weight', weight: 0 }, 'set server web/web1 weight 0'],
    [{ do: 'state', state: 'drain' }, 'set server web/web1 state drain'],
    [{ do: 'health-down' }, 'set server web/web1 health down'],
    [{ do: 'enable-health' }, 'enable health web/web1'],
    [
      { do: 'add', id: 7, address: '10.0.0.1', port: 80, hasChecks: true },
      'add server web/web1 10.0.0.1:80 id 7 check',
    ],
    [{ do: 'add', id: 7, address: '::1', port: 80, hasChecks: false }, 'add server web/web1 [::1]:80 id 7'],
  ])('%j', (step, text) => expect(render(step)).toBe(text));

  it('is refused with any value that HAProxy would misread', () => {
    const endpoints = [
      ['10.0.0.1; quit', 80],
      ['10.0.0.256', 80],
      ['010.0.0.1', 80],
      ['10.1', 80],
      ['localhost', 80],
      ['fe80::1%eth0', 80],
      ['/run/x.sock', 80],
      ['10.0.0.1', 0],
      ['10.0.0.1', 70_000],
      ['10.0.0.1', 8.5],
      ['10.0.0.1', Number.NaN],
    ] as const;
    for (const [address, port] of endpoints)
      expect(() => render({ do: 'address', address, port })).toThrow(expect.objectContaining({ code: 'rejected' }));
    for (const weight of [-1, 257, 1.5, Number.NaN]) expect(() => render({ do: 'weight', weight })).toThrow('weight');
    expect(() => renderSteps('web', 'web1;x', [{ do: 'health-down' }])).toThrow('name');
  });

  it('is one plain command or a refusal, whatever stands in it', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.ipV4(), fc.ipV6(), fc.constantFrom('a;b', 'x <<', '\n'));
    const number = fc.oneof(fc.double(), fc.integer({ min: -1, max: 70_000 }));
    fc.assert(
      fc.property(text, text, text, number, (backend, server, address, port) => {
        try {
          const [command = ''] = renderSteps(backend, server, [{ do: 'address', address, port }]);
          expect(checkCommand(command)).not.toMatch(/[;\\\n]|<</);
        } catch (error) {
          expect(error).toMatchObject({ code: 'rejected' });
        }
      }),
    );
  });
});

describe('an address', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::1%1', undefined],
    ['-', undefined],
    ['', undefined],
  ])('%s is spelled %s', (text, spelling) => expect(canonicalAddress(text)).toBe(spelling));
});

describe('a reply', () => {
  const address: Step = { do: 'address', address: '10.0.0.1', port: 80 };

  it.each([
    "IP changed from '127.0.0.2' to '10.0.0.1' by 'stats socket command'",
    "IP changed from 'x' to 'A', port changed from '80' to 'P' by 'stats socket command'",
    "no need to change the addr, port changed from '80' to '8080' by 'stats socket command'",
    "no need to change the addr, no need to change the port by 'stats socket command'",
  ])('to an address is fine as %j', (reply) => expect(refusalIn(address, `${reply}\n`)).toBeUndefined());

  it.each([
    "Invalid addr 'x' by 'stats socket command'",
    "IP changed from 'x' to 'A', problem converting port 'abc' to an int by 'stats socket command'",
    'No such server.',
    '',
  ])('to an address is a refusal, or read back, as %j', (reply) =>
    expect(refusalIn(address, reply)).toBe(reply === '' ? undefined : reply),
  );

  it('to anything else is a refusal unless it is empty', () => {
    expect(refusalIn({ do: 'weight', weight: 1 }, '')).toBeUndefined();
    expect(refusalIn({ do: 'weight', weight: 1 }, 'Permission denied\n')).toBe('Permission denied');
    expect(
      refusalIn({ do: 'add', id: 1, address: '::1', port: 1, hasChecks: false }, 'New server registered.\n'),
    ).toBeUndefined();
    expect(isFromOldWorker('Proxy is disabled.\n')).toBe(true);
  });
});

describe('what a snapshot wants', () => {
  it('has its addresses in one spelling, and a slot left free for a target that must not be sent', () => {
    const target = { admin: 'ready', targetId: 'i', targetName: 'one', port: 80, weight: 1, isForced: false } as const;
    const entries: Wanted[] = [
      { index: 1, admin: 'maint' },
      { ...target, index: 2, address: '2001:DB8::0:1' },
      { ...target, index: 3, address: 'evil; quit' },
      { ...target, index: 4, address: '10.0.0.1', weight: 300 },
    ];
    const { wanted, refused } = checkWanted(new Map(entries.map((entry) => [entry.index, entry])));
    expect(wanted.get(2)).toMatchObject({ address: '2001:db8::1' });
    expect([wanted.get(3), wanted.get(4)]).toEqual([
      { index: 3, admin: 'maint' },
      { index: 4, admin: 'maint' },
    ]);
    expect(refused.map(({ index, reason }) => [index, /"one"/.test(reason)])).toEqual([
      [3, true],
      [4, true],
    ]);
  });
});
