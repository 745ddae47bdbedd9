import { describe, expect, it } from 'vitest';
import { startedModel } from './model.ts';
import { admitted, free, list, nothing, pass, plan, server, web } from './planning.ts';

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
