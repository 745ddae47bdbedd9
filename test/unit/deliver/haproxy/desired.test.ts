import { describe, expect, it } from 'vitest';
import { desiredServers } from '../../../../src/deliver/haproxy/desired.ts';
import { snapshotOf } from '../../../fixtures/delivery.ts';

const target = { id: 'i-1', name: 'one', address: '10.0.0.1' };
const rule = { defaultPort: 80, accepts: 'all' as const };

const first = (wish: Parameters<typeof snapshotOf>[0][number], changes: object = {}, groups: readonly string[] = []) =>
  desiredServers(snapshotOf([wish], 1), { ...rule, ...changes }, { primaryGroups: groups, manageWeights: true }).get(1);

describe('what a snapshot wants of a backend', () => {
  it('is a free slot in maint', () => expect(first(undefined)).toEqual({ index: 1, admin: 'maint' }));

  it('leaves the weight open where hsdo does not manage weights', () => {
    const service = { primaryGroups: [], manageWeights: false };
    const wanted = desiredServers(snapshotOf([{ target, weight: 7 }], 1), rule, service).get(1);
    expect(wanted).toMatchObject({ admin: 'ready', address: '10.0.0.1' });
    expect(wanted).not.toHaveProperty('weight');
  });

  it('is a taken slot ready, or as its override says', () => {
    expect(first({ target, weight: 7 })).toEqual({
      index: 1,
      admin: 'ready',
      targetId: 'i-1',
      targetName: 'one',
      address: '10.0.0.1',
      port: 80,
      weight: 7,
      isForced: false,
    });
    expect(first({ target, override: 'ready' })).toMatchObject({ admin: 'ready', isForced: true });
    expect(first({ target, override: 'drain', weight: 7 })).toMatchObject({
      admin: 'drain',
      weight: 7,
      isForced: false,
    });
    expect(first({ target, override: 'maint' })).toMatchObject({ admin: 'maint', address: '10.0.0.1' });
  });

  it.each([
    ['down', undefined, 'drain', false],
    ['new', undefined, 'drain', false],
    ['standby', undefined, 'drain', false],
    ['down', 'ready', 'drain', true],
    ['down', 'drain', 'drain', false],
    ['standby', 'maint', 'maint', false],
    [undefined, 'ready', 'ready', true],
  ] as const)('for a target that is out as %s with override %s is %s, weight kept', (out, override, admin, isForced) =>
    expect(first({ target, weight: 7, ...(out && { out }), ...(override && { override }) })).toMatchObject({
      admin,
      weight: 7,
      address: '10.0.0.1',
      isForced,
    }),
  );

  it('is a draining slot in drain with its weight', () =>
    expect(first({ target, isDraining: true, weight: 7 })).toMatchObject({ admin: 'drain', weight: 7 }));

  it.each([
    [undefined, {}, 80],
    [8080, {}, 8080],
    [undefined, { defaultPort: 81 }, 81],
    [8080, { port: 9090 }, 9090],
  ])('takes the fixed port, else the port of the target (%s), else the default', (port, changes, expected) =>
    expect(first({ target: port === undefined ? target : { ...target, port } }, changes)).toMatchObject({
      port: expected,
    }),
  );

  it.each([
    ['primary', 'asg-a', true],
    ['primary', 'asg-b', false],
    ['fallback', 'asg-a', false],
    ['fallback', 'asg-b', true],
    ['all', 'asg-a', true],
    ['all', 'asg-b', true],
  ])('in a backend that accepts %s has the targets of %s: %s', (accepts, group, isIn) =>
    expect(first({ target, group }, { accepts }, ['asg-a'])?.admin).toBe(isIn ? 'ready' : 'maint'),
  );
});
