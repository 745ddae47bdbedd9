import { describe, expect, it } from 'vitest';
import { startedModel } from './model.ts';
import { admitted, free, list, nothing, pass, plan, server, web } from './planning.ts';

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
