import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inTurns, planBackend } from '../../../../src/deliver/haproxy/plan.ts';
import { anyModel, applyChanges, observe, startedModel, wantedList } from './model.ts';
import { admitted, free, list, type Memory, nothing, pass, plan, server, web } from './planning.ts';

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

  it('lets nobody in before it took out whom it takes out, whatever the list was and is', () => {
    fc.assert(
      fc.property(wantedList(4), wantedList(4), (before, after) => {
        const model = startedModel(4);
        const memory = pass(model, before, nothing).remembered;
        const readyOnes = () => [...model.values()].filter(({ admin }) => admin === 'ready').length;
        const { changes } = plan(model, after, memory);
        const [first, last] = [readyOnes(), [...after.values()].filter(({ admin }) => admin === 'ready').length];
        const [out, into] = inTurns(changes);
        expect([...out, ...into].sort((a, b) => a.index - b.index)).toEqual(changes);
        for (const change of [...out, ...into]) {
          for (const step of change.steps) {
            applyChanges(model, [{ ...change, steps: [step] }]);
            expect(readyOnes()).toBeLessThanOrEqual(Math.max(first, last));
          }
        }
      }),
    );
  });
});
