import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Remembered } from '../../../../src/deliver/haproxy/decide.ts';
import type { Wanted, WantedTarget } from '../../../../src/deliver/haproxy/desired.ts';
import { type Plan, planBackend } from '../../../../src/deliver/haproxy/plan.ts';
import { anyModel, applyChanges, type Model, observe, startedModel, wantedList } from './model.ts';

type Memory = ReadonlyMap<number, Remembered>;

const nothing: Memory = new Map();

function plan(model: Model, wanted: ReadonlyMap<number, Wanted>, remembered: Memory, options: object = {}): Plan {
  return planBackend({ observed: observe(model), wanted, remembered, baseName: 'web', mayGrow: false, ...options });
}

/** One pass as reconcile.ts makes it: plan, apply, look again. */
function pass(
  model: Model,
  wanted: ReadonlyMap<number, Wanted>,
  remembered: Memory,
  options: object = {},
): Plan & { sent: Plan } {
  const sent = plan(model, wanted, remembered, options);
  applyChanges(model, sent.changes);
  return { ...plan(model, wanted, sent.remembered, options), sent };
}

const web = (changes: Partial<WantedTarget> = {}): WantedTarget => ({
  index: 1,
  admin: 'ready',
  targetId: 'i-1',
  targetName: 'one',
  address: '10.0.0.1',
  port: 8080,
  weight: 10,
  isForced: false,
  ...changes,
});
const list = (...entries: Wanted[]) => new Map(entries.map((one) => [one.index, one]));
const free = (index: number): Wanted => ({ index, admin: 'maint' });

function server(model: Model, index = 1) {
  const found = model.get(index);
  if (!found) throw new Error(`no server ${index}`);
  return found;
}

/** A model and memory after the target was admitted and its checks passed. */
function admitted(wanted: WantedTarget = web()): { model: Model; memory: Memory } {
  const model = startedModel(1);
  pass(model, list(wanted), nothing);
  if (wanted.admin !== 'maint') server(model).isUp = true;
  return { model, memory: pass(model, list(wanted), plan(model, list(wanted), nothing).remembered).remembered };
}

describe('a plan as a whole', () => {
  it('makes HAProxy what is wanted, whatever it was, and then has nothing left to do', () => {
    fc.assert(
      fc.property(anyModel(4), wantedList(4), (model, wanted) => {
        const after = pass(model, wanted, nothing);
        expect(after.changes).toEqual([]);
        for (const one of wanted.values()) {
          const is = server(model, one.index);
          expect(is.admin).toBe(one.admin);
          if ('targetId' in one) expect([is.address, is.port, is.weight]).toEqual([one.address, one.port, one.weight]);
        }
        expect(pass(model, wanted, after.remembered).sent.changes).toEqual([]);
      }),
    );
  });

  it('follows a sequence of lists, of reloads and of crashes half-way, and never takes its own doing for an operator', () => {
    const event = fc.record({
      wanted: wantedList(3),
      isReload: fc.boolean(),
      /** How many commands arrive before the client dies; the memory is then what was saved before sending. */
      arrives: fc.option(fc.integer({ min: 0, max: 6 })),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), (events) => {
        let model = startedModel(3);
        let memory: Memory = nothing;
        for (const { wanted, isReload, arrives } of events) {
          if (isReload) model = startedModel(3);
          const first = plan(model, wanted, memory);
          expect(first.held).toEqual([]);
          if (arrives === null) {
            memory = pass(model, wanted, memory).remembered;
            continue;
          }
          if (first.forgets) memory = first.remembered;
          const lines = first.changes.flatMap((change) => change.steps.map((step) => ({ ...change, steps: [step] })));
          applyChanges(model, lines.slice(0, arrives));
        }
      }),
    );
  });

  it('never overwrites what an operator set, until he sets ready, the target changes or an override asks for ready', () => {
    const step = fc.record({
      manual: fc.constantFrom<'drain' | 'maint' | undefined>('drain', 'maint', undefined),
      weight: fc.integer({ min: 0, max: 256 }),
      isReload: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let { model, memory } = admitted();
        let hold: 'drain' | 'maint' | undefined;
        for (const { manual, weight, isReload } of steps) {
          if (isReload) model = startedModel(1);
          else if (manual !== undefined) {
            server(model).admin = manual;
            hold = manual;
          }
          const after = pass(model, list(web({ weight })), memory);
          memory = after.remembered;
          expect(server(model).admin).toBe(hold ?? 'ready');
          expect(after.held.map(({ state }) => state)).toEqual(hold ? [hold] : []);
          expect(after.changes).toEqual([]);
        }
        pass(model, list(web({ isForced: true })), memory);
        expect(server(model).admin).toBe('ready');
      }),
    );
  });

  it('lets no new target take traffic before its checks pass', () => {
    fc.assert(
      fc.property(wantedList(3), wantedList(3), (before, wanted) => {
        const model = startedModel(3);
        const memory = pass(model, before, nothing).remembered;
        for (const one of model.values()) one.servedAt.clear();
        pass(model, wanted, memory);
        for (const one of model.values()) expect([...one.servedAt]).toEqual([]);
      }),
    );
  });
});

describe('admission', () => {
  it('sets address and weight in maint and opens through the gate', () => {
    const { changes } = plan(startedModel(1), list(web()), nothing);
    expect(changes).toEqual([
      {
        index: 1,
        server: 'web1',
        steps: [
          { do: 'address', address: '10.0.0.1', port: 8080 },
          { do: 'weight', weight: 10 },
          { do: 'state', state: 'drain' },
          { do: 'health-down' },
          { do: 'state', state: 'ready' },
        ],
      },
    ]);
  });

  it('leaves the gate out without checks', () => {
    const { changes } = plan(startedModel(1, false), list(web({ weight: 1 })), nothing);
    expect(changes[0]?.steps).toEqual([
      { do: 'address', address: '10.0.0.1', port: 8080 },
      { do: 'state', state: 'ready' },
    ]);
  });

  it('leads a changed address through maint and the gate', () => {
    const { model, memory } = admitted();
    const { changes } = plan(model, list(web({ address: '10.0.0.2' })), memory);
    expect(changes[0]?.steps).toEqual([
      { do: 'state', state: 'maint' },
      { do: 'address', address: '10.0.0.2', port: 8080 },
      { do: 'state', state: 'drain' },
      { do: 'health-down' },
      { do: 'state', state: 'ready' },
    ]);
  });

  it('opens at once what was up before a reload lost it, and gates what was down', () => {
    const { memory } = admitted();
    const lost = startedModel(1);
    expect(plan(lost, list(web()), memory).changes[0]?.steps.at(-1)).toEqual({ do: 'state', state: 'ready' });
    expect(plan(lost, list(web()), memory).changes[0]?.steps).not.toContainEqual({ do: 'health-down' });
    const down = new Map([...memory].map(([index, one]) => [index, { ...one, isUp: false }]));
    expect(plan(lost, list(web()), down).changes[0]?.steps).toContainEqual({ do: 'health-down' });
  });

  it('gives a target that came back from the state file with weight 0 its weight only behind its checks', () => {
    const { model, memory } = admitted();
    Object.assign(server(model), { weight: 0, isUp: true });
    const down = new Map([...memory].map(([index, one]) => [index, { ...one, isUp: false }]));
    expect(plan(model, list(web()), down).changes[0]?.steps).toEqual([
      { do: 'health-down' },
      { do: 'weight', weight: 10 },
    ]);
    expect(plan(model, list(web()), memory).changes[0]?.steps).toEqual([{ do: 'weight', weight: 10 }]);
  });
});

describe('small changes', () => {
  it('changes a weight with one command', () => {
    const { model, memory } = admitted();
    expect(plan(model, list(web({ weight: 11 })), memory).changes[0]?.steps).toEqual([{ do: 'weight', weight: 11 }]);
  });

  it('drains a draining target, and puts a freed slot in maint without touching its address', () => {
    const { model, memory } = admitted();
    const draining = pass(model, list(web({ admin: 'drain' })), memory);
    expect(draining.sent.changes[0]?.steps).toEqual([{ do: 'state', state: 'drain' }]);
    const freed = pass(model, list(free(1)), draining.remembered);
    expect(freed.sent.changes[0]?.steps).toEqual([{ do: 'state', state: 'maint' }]);
    expect(server(model).address).toBe('10.0.0.1');
    expect(freed.remembered.size).toBe(0);
  });

  it('takes a draining target back without a gate, its checks went on', () => {
    const { model, memory } = admitted(web({ admin: 'drain' }));
    expect(plan(model, list(web()), memory).changes[0]?.steps).toEqual([{ do: 'state', state: 'ready' }]);
  });

  it('sets back a ready by hand on what should drain or rest', () => {
    for (const admin of ['drain', 'maint'] as const) {
      const { model, memory } = admitted(web({ admin }));
      server(model).admin = 'ready';
      expect(plan(model, list(web({ admin })), memory).changes[0]?.steps).toEqual([{ do: 'state', state: admin }]);
    }
  });

  it('puts slots beyond the list in maint', () => {
    const model = startedModel(2);
    server(model, 2).admin = 'ready';
    expect(plan(model, list(free(1)), nothing).changes).toEqual([
      { index: 2, server: 'web2', steps: [{ do: 'state', state: 'maint' }] },
    ]);
  });
});

describe('a hold by hand', () => {
  it('ends when the operator sets ready', () => {
    const { model, memory } = admitted();
    server(model).admin = 'maint';
    const held = pass(model, list(web()), memory);
    expect(held.held).toEqual([{ index: 1, server: 'web1', targetName: 'one', state: 'maint' }]);
    Object.assign(server(model), { admin: 'ready', isUp: true });
    const released = pass(model, list(web()), held.remembered);
    expect([released.held, released.sent.changes]).toEqual([[], []]);
    expect(released.remembered.get(1)?.manual).toBeUndefined();
  });

  it('ends when the slot gets another target', () => {
    const { model, memory } = admitted();
    server(model).admin = 'maint';
    const held = pass(model, list(web()), memory);
    const next = pass(model, list(web({ targetId: 'i-2', address: '10.0.0.2' })), held.remembered);
    expect(next.held).toEqual([]);
    expect(server(model).admin).toBe('ready');
  });

  it('outlives an override of drain or maint that comes and goes', () => {
    const { model, memory } = admitted();
    server(model).admin = 'drain';
    let after = pass(model, list(web()), memory);
    after = pass(model, list(web({ admin: 'maint' })), after.remembered);
    expect(server(model).admin).toBe('maint');
    after = pass(model, list(web()), after.remembered);
    expect(server(model).admin).toBe('drain');
    expect(after.held[0]?.state).toBe('drain');
  });

  it('is not seen in a slot that was never ready at this address', () => {
    const model = startedModel(1);
    Object.assign(server(model), { address: '10.0.0.1', port: 8080 });
    const after = pass(model, list(web()), nothing);
    expect(after.held).toEqual([]);
    expect(server(model).admin).toBe('ready');
  });
});

describe('an agent-check', () => {
  it('keeps weight and state to itself once the target was delivered', () => {
    const model = startedModel(1);
    server(model).hasAgent = true;
    const delivered = pass(model, list(web()), nothing, { sent: new Set([1]) });
    Object.assign(server(model), { admin: 'drain', weight: 3 });
    const after = pass(model, list(web()), delivered.remembered);
    expect([after.sent.changes, after.held]).toEqual([[], []]);
    expect(plan(model, list(web({ address: '10.0.0.9' })), after.remembered).changes).toHaveLength(1);
    expect(plan(model, list(free(1)), after.remembered).changes[0]?.steps).toEqual([{ do: 'state', state: 'maint' }]);
  });
});

describe('a list that is longer than the template', () => {
  it('reports the missing slots by index', () => {
    const { missing, changes } = plan(startedModel(1), list(free(1), web({ index: 2 }), free(3)), nothing);
    expect([missing, changes]).toEqual([[2, 3], []]);
  });

  it('adds servers for targets, with the id that the template would have given', () => {
    const model = startedModel(2);
    for (const one of model.values()) one.id += 5;
    const wanted = list(free(1), free(2), web({ index: 3 }), free(4));
    const grown = pass(model, wanted, nothing, { mayGrow: true });
    expect(grown.sent.changes[0]?.steps).toEqual([
      { do: 'add', id: 8, address: '10.0.0.1', port: 8080, hasChecks: true },
      { do: 'weight', weight: 10 },
      { do: 'enable-health' },
      { do: 'state', state: 'drain' },
      { do: 'health-down' },
      { do: 'state', state: 'ready' },
    ]);
    expect([grown.changes, grown.missing]).toEqual([[], [4]]);
  });

  it('adds nothing under an id that is taken, and says so', () => {
    const model = startedModel(2);
    const observed = { ...observe(model), ids: new Set([1, 2, 3]) };
    const input = {
      wanted: list(free(1), free(2), web({ index: 3 })),
      remembered: nothing,
      baseName: 'web',
      mayGrow: true,
    };
    const { changes, findings } = planBackend({ ...input, observed });
    expect(changes).toEqual([]);
    expect(findings[0]?.reason).toContain('id 3');
  });
});
