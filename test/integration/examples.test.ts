import { describe, expect, it } from 'vitest';
import { type RunningExample, startExample } from '../fixtures/examples.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

type Servers = readonly [TestTarget, TestTarget, TestTarget];

/** Plays a story with three web servers and the example, in which they stand in the place of its own addresses. */
async function play(
  name: string,
  replacementsFor: (servers: Servers) => Readonly<Record<string, string>>,
  tell: (example: RunningExample, servers: Servers) => Promise<void>,
): Promise<void> {
  const servers = (await startTargets(3)) as [TestTarget, TestTarget, TestTarget];
  let example: RunningExample | undefined;
  try {
    example = await startExample(name, { replacements: replacementsFor(servers) });
    await tell(example, servers);
  } finally {
    await example?.remove();
    for (const server of servers) await server.stop();
  }
}

const at = ({ address, port }: TestTarget) => `address: ${address}, port: ${port}`;
const place = ({ address, port }: TestTarget) => `${address}:${port}`;

describe('an example that asks web servers, run as it stands', () => {
  it('http-round-robin serves all who answer as expected', () =>
    play(
      'http-round-robin',
      ([one, two, three]) => ({
        'address: 10.0.0.11, port: 8080': at(one),
        'address: 10.0.0.12, port: 8080': at(two),
        'address: 10.0.0.13, port: 8080': at(three),
        'intervalSeconds: 5': 'intervalSeconds: 0.2',
      }),
      async ({ shows, detail, told }, [one, two, three]) => {
        const all = { 'web-1': 'up, serves', 'web-2': 'up, serves', 'web-3': 'up, serves' };
        await shows('all serve', all);
        await two.stop();
        three.setHealthy(false);
        const found = await shows('two are out', { 'web-1': 'up, serves', 'web-2': 'refused', 'web-3': 'status' });
        expect(found).toMatchObject({ check: 'http', selection: 'round-robin', policy: 'quorum' });
        one.setHealthy(false);
        await until('the last one goes on', async () => {
          const { panic, targets } = await detail();
          return panic?.serves === 'last-good' && targets.find(({ name }) => name === 'web-1')?.servingWeight === 10;
        });
        await two.start();
        for (const server of [one, three]) server.setHealthy(true);
        await shows('all are back', all);
        expect(await told()).toEqual(all);
      },
    ));

  it('http-active-passive serves the first that is up by its own URL, and the first when none is', () =>
    play(
      'http-active-passive',
      ([one, two, three]) => ({
        '10.0.0.21:9000': place(one),
        '10.0.0.22:9000': place(two),
        '10.0.0.23:9000': place(three),
        'intervalSeconds: 10': 'intervalSeconds: 0.2',
        'failbackSeconds: 60': 'failbackSeconds: 0.5',
      }),
      async ({ shows, detail, told }, [one, two, three]) => {
        const first = { 'shop-1': 'up, serves', 'shop-2': 'up', 'shop-3': 'up' };
        expect(await shows('the first serves', first)).toMatchObject({ active: 'shop-1' });
        await one.stop();
        const next = { 'shop-1': 'refused', 'shop-2': 'up, serves', 'shop-3': 'up' };
        expect(await shows('the next serves', next)).toMatchObject({ active: 'shop-2' });
        await one.start();
        await shows('the first has it again', first);
        for (const server of [one, two, three]) server.setHealthy(false);
        await until('the panic is told', async () => (await detail()).panic?.serves === 'first');
        const none = { 'shop-1': 'status, serves', 'shop-2': 'status', 'shop-3': 'status' };
        expect(await shows('the first serves although it is down', none)).toMatchObject({ active: 'shop-1' });
        expect(await told()).toEqual(none);
      },
    ));

  it('tcp serves all who accept a connection, and the first when none does', () =>
    play(
      'tcp',
      ([one, two]) => ({
        'address: 10.0.0.31, port: 25': at(one),
        'address: 10.0.0.32, port: 25': at(two),
        'intervalSeconds: 5': 'intervalSeconds: 0.2',
      }),
      async ({ shows, told }, [one, two]) => {
        // What it says is not asked for.
        two.setHealthy(false);
        await shows('both serve', { 'mail-1': 'up, serves', 'mail-2': 'up, serves' });
        await one.stop();
        await shows('the dead one is out', { 'mail-1': 'refused', 'mail-2': 'up, serves' });
        await two.stop();
        const none = { 'mail-1': 'refused, serves', 'mail-2': 'refused' };
        expect((await shows('the first serves', none)).panic?.serves).toBe('first');
        expect(await told()).toEqual(none);
      },
    ));

  it('none asks nobody, and goes by what the operator says', () =>
    play(
      'none',
      () => ({}),
      async ({ shows, hsdo, told }) => {
        // Nobody listens on the addresses of the example.
        await shows('the first serves', { 'printer-1': 'up, serves', 'printer-2': 'up' });
        expect((await hsdo.cli('override', 'printers', 'printer-1', 'drain')).code).toBe(0);
        const next = { 'printer-1': 'up', 'printer-2': 'up, serves' };
        await shows('the next serves', next);
        expect(await told()).toEqual(next);
      },
    ));

  it('har serves the candidates that are up, and both when none is', () =>
    play(
      'har',
      ([east, west]) => ({
        'address: 198.51.100.10, port: 80': at(east),
        'address: 203.0.113.10, port: 80': at(west),
        'http://198.51.100.10/': `http://${place(east)}/`,
        'http://203.0.113.10/': `http://${place(west)}/`,
        'intervalSeconds: 60': 'intervalSeconds: 0.2',
      }),
      async ({ shows, told }, [east, west]) => {
        const [one, two] = ['api1.east.example.com', 'api1.west.example.com'];
        const both = await shows('both serve', { [one]: 'up, serves', [two]: 'up, serves' });
        expect(both.targets.map(({ votes }) => typeof votes[0]?.totalMs)).toEqual(['number', 'number']);
        expect(east.requests()).toBeGreaterThan(0);
        await west.stop();
        await shows('the dead one is out', { [one]: 'up, serves', [two]: 'refused' });
        east.setHealthy(false);
        const panic = await shows('both serve although none is up', {
          [one]: 'status, serves',
          [two]: 'refused, serves',
        });
        expect(panic.panic?.serves).toBe('all');
        await west.start();
        const over = { [one]: 'status', [two]: 'up, serves' };
        expect((await shows('the panic is over', over)).panic).toBeUndefined();
        expect(await told()).toEqual(over);
      },
    ));
});
