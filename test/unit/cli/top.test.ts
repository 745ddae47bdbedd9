import fc from 'fast-check';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { ServiceView, StatusView } from '../../../src/api/view.ts';
import { gatherNews, type TopNews } from '../../../src/cli/top-news.ts';
import { topFrame, windowOf } from '../../../src/cli/top-screen.ts';
import { keysIn } from '../../../src/cli/top-terminal.ts';
import type { Slot } from '../../../src/model/slot.ts';

const plain = pc.createColors(false);
const now = Date.UTC(2026, 10, 21, 20, 0, 0);

const serviceNamed = (name: string): ServiceView => ({
  name,
  state: 'ok',
  revision: 7,
  epoch: 1,
  size: 50,
  taken: 2,
  draining: 0,
  free: 48,
  unplaced: [],
  verdicts: { up: 1, down: 1, undecided: 0 },
  shrinkBlockedBy: [],
  sources: [],
  duplicates: [],
  overrides: [],
  clients: [],
});

const slotOf = (index: number, rest: Partial<Extract<Slot, { state: 'taken' }>> = {}): Slot => ({
  state: 'taken',
  index,
  target: { id: `i-${index}`, name: `web-${index}`, address: '10.0.0.1', port: 80, group: 'a' },
  joinedAt: now - 60_000,
  weight: 10,
  ...rest,
});

const newsOf = (services: number, slots: readonly Slot[], events = 0): TopNews => {
  const status: StatusView = {
    node: 'n1',
    version: '0.1.0',
    roles: ['server'],
    at: now,
    store: { kind: 'sqlite', refusals: [] },
    problems: [],
    observers: [],
    services: Array.from({ length: services }, (_, n) => serviceNamed(`service-${n}`)),
  };
  const kept = Array.from(
    { length: events },
    (_, n) => ({ id: `${n}`, kind: 'target-down', at: now, target: `t-${n}` }) as const,
  );
  const node = { id: 'n1', kind: 'server', isLeader: true, isHealthy: true, isTransient: false, services: [] } as const;
  return { status, nodes: [node], events: kept, slots: { service: 'service-0', slots } };
};

describe('what hsdo top hears', () => {
  const all: Readonly<Record<string, unknown>> = {
    '/api/v1/status': newsOf(2, []).status,
    '/api/v1/nodes': { nodes: newsOf(0, []).nodes },
    '/api/v1/events?limit=10': { events: newsOf(0, [], 1).events },
    '/api/v1/services/service-0/slots': { service: 'service-0', slots: [slotOf(1)] },
    '/api/v1/services/service-1/slots': { service: 'service-1', slots: [] },
  };
  const telling = (paths: readonly string[]) => async (path: string) => {
    if (paths.includes(path)) return all[path];
    throw new Error('the store is away');
  };

  it('stays as it was where the API cannot tell it, and is never none for that', async () => {
    const first = await gatherNews(telling(Object.keys(all)), undefined, 'service-0');
    expect(first).toMatchObject({ nodes: [{ id: 'n1' }], events: [{ id: '0' }], slots: { service: 'service-0' } });
    expect(await gatherNews(telling(['/api/v1/status']), first, 'service-0')).toEqual(first);
    const other = await gatherNews(telling(Object.keys(all)), first, 'service-1');
    expect(other.slots).toEqual({ service: 'service-1', slots: [] });
    await expect(gatherNews(telling([]), first, 'service-0')).rejects.toThrow('the store is away');
  });

  it('is not known at first, which the picture says so', async () => {
    const news = await gatherNews(telling(['/api/v1/status']), undefined, undefined);
    const lines = topFrame({ now, news, chosen: 'service-0' }, { columns: 80, rows: 24 }, plain);
    expect(lines).toContain(' nodes  not told here');
    expect(lines).toContain('       not told yet');
  });

  it('is asked of servers alone: a client knows of neither nodes nor events', async () => {
    const asked: string[] = [];
    const status = { ...newsOf(0, []).status, roles: ['client'] };
    await gatherNews(
      async (path) => {
        asked.push(path);
        return status;
      },
      undefined,
      undefined,
    );
    expect(asked).toEqual(['/api/v1/status']);
  });
});

describe('the picture of hsdo top', () => {
  it('never has more lines or columns than the terminal, and always the way out', () => {
    const sizes = fc.record({ columns: fc.integer({ min: 20, max: 200 }), rows: fc.integer({ min: 8, max: 80 }) });
    const counts = fc.record({
      services: fc.integer({ min: 0, max: 30 }),
      slots: fc.integer({ min: 0, max: 60 }),
      events: fc.integer({ min: 0, max: 12 }),
      chosen: fc.integer({ min: 0, max: 29 }),
    });
    fc.assert(
      fc.property(sizes, counts, (size, { services, slots, events, chosen }) => {
        const list = Array.from({ length: slots }, (_, n) => slotOf(n + 1));
        const view = { now, chosen: `service-${chosen}`, news: newsOf(services, list, events) };
        const lines = topFrame(view, size, plain);
        expect(lines.length).toBe(size.rows);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(size.columns);
        expect(lines.at(-1)).toContain('q quit');
      }),
    );
  });

  it('says in words what a slot is in', () => {
    const slots: readonly Slot[] = [
      slotOf(1, { health: { verdict: 'up', code: 'ok', sinceAt: now } }),
      slotOf(2, { health: { verdict: 'down', code: 'refused', sinceAt: now }, out: 'down' }),
      slotOf(3, { override: 'maint' }),
      slotOf(4, { out: 'standby' }),
      { state: 'free', index: 5 },
    ];
    const lines = topFrame({ now, chosen: 'service-0', news: newsOf(1, slots, 2) }, { columns: 80, rows: 24 }, plain);
    expect(lines.filter((line) => /web-\d/.test(line)).map((line) => line.replace(/ +/g, ' '))).toEqual([
      ' 1 web-1 10.0.0.1:80 up 10/10 60 s',
      ' 2 web-2 10.0.0.1:80 down refused 0/10 60 s',
      ' 3 web-3 10.0.0.1:80 maint by hand 0/10 60 s',
      ' 4 web-4 10.0.0.1:80 standby 0/10 60 s',
    ]);
    expect(lines.join('\n')).toContain('1 free');
    expect(lines.join('\n')).toContain('n1 (leader)');
    expect(lines.join('\n')).toMatch(/target-down +t-0/);
  });

  it('says why and since when the API is away, above what was known', () => {
    const away = { sinceAt: now - 12_000, why: 'connect ECONNREFUSED' };
    const size = { columns: 80, rows: 24 };
    const old = topFrame({ now, away, chosen: 'service-0', news: newsOf(1, [slotOf(1)]) }, size, plain);
    expect(old[1]).toBe(' no answer for 12 s, what follows is old: connect ECONNREFUSED');
    expect(old.join('\n')).toContain('web-1');
    expect(topFrame({ now, away }, size, plain)[1]).toBe(' connect ECONNREFUSED');
  });

  it('names the services that are not in order', () => {
    const news = newsOf(2, []);
    const services = [{ ...serviceNamed('web'), state: 'panic' as const }, serviceNamed('shop')];
    const size = { columns: 80, rows: 24 };
    expect(topFrame({ now, news }, size, plain)[1]).toBe(' no problems');
    const unwell = { ...news, status: { ...news.status, services } };
    expect(topFrame({ now, news: unwell }, size, plain)[1]).toBe(' needs a look: web (panic)');
  });

  it('lets nothing that others say move the cursor', () => {
    const evil = { ...slotOf(1), target: { id: 'x', name: '\u001b[2Jx', address: '10.0.0.1', group: 'a' } } as Slot;
    const lines = topFrame({ now, chosen: 'service-0', news: newsOf(1, [evil]) }, { columns: 80, rows: 24 }, plain);
    expect(lines.join('\n')).not.toContain('\u001b');
  });

  it('keeps the chosen one among those that there is room for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(39),
        fc.integer({ min: 1, max: 10 }),
        (count, wanted, room) => {
          const chosen = Math.min(wanted, count - 1);
          const shown = windowOf([...Array(count).keys()], chosen, room);
          expect(shown).toContain(chosen);
          expect(shown.length).toBe(Math.min(count, room));
        },
      ),
    );
  });
});

describe('keys', () => {
  it.each([
    ['q', ['quit']],
    ['\u0003', ['quit']],
    ['\u001b[A\u001b[B', ['up', 'down']],
    ['\u001bOA', ['up']],
    ['jk', ['down', 'up']],
    ['\u001b[5~x', []],
    ['', []],
  ])('are read from %j', (text, keys) => {
    expect(keysIn(text)).toEqual(keys);
  });
});
