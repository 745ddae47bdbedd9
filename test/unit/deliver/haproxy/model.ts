import fc from 'fast-check';
import type { Step } from '../../../../src/deliver/haproxy/decide.ts';
import type { Wanted } from '../../../../src/deliver/haproxy/desired.ts';
import type { AdminState, Observation, ObservedServer } from '../../../../src/deliver/haproxy/observe.ts';
import type { Change } from '../../../../src/deliver/haproxy/plan.ts';

/** A server as HAProxy's rules move it (facts found on 2.6), small enough to be obviously right. */
export interface ModelServer {
  address: string;
  port: number;
  weight: number;
  admin: AdminState;
  isUp: boolean;
  hasChecks: boolean;
  hasAgent: boolean;
  id: number;
  /** It took traffic at some moment since the last `forgetServing`, at these addresses with these weights above 0. */
  servedAt: Set<string>;
}

export type Model = Map<number, ModelServer>;

function note(server: ModelServer): void {
  if (server.admin === 'ready' && server.isUp && server.weight > 0)
    server.servedAt.add(`${server.address}:${server.port}`);
}

/** One step, as HAProxy carries it out. */
export function applyStep(model: Model, index: number, step: Step): void {
  if (step.do === 'add') {
    if (model.has(index)) throw new Error(`server ${index} exists`);
    if ([...model.values()].some(({ id }) => id === step.id)) throw new Error(`id ${step.id} exists`);
    const { address, port, hasChecks, id } = step;
    const [servedAt, weight] = [new Set<string>(), 1];
    model.set(index, { address, port, hasChecks, id, weight, servedAt, admin: 'maint', isUp: false, hasAgent: false });
    return;
  }
  const server = model.get(index);
  if (!server) throw new Error(`no server ${index}`);
  switch (step.do) {
    case 'address':
      server.address = step.address;
      server.port = step.port;
      break;
    case 'weight':
      server.weight = step.weight;
      break;
    case 'health-down':
      // Forgotten in maint; for ever without checks.
      if (server.admin !== 'maint') server.isUp = false;
      if (!server.hasChecks) throw new Error('health down without checks is for ever');
      break;
    case 'state':
      // Leaving maint counts as up at once.
      if (server.admin === 'maint' && step.state !== 'maint') server.isUp = true;
      if (step.state === 'maint') server.isUp = false;
      server.admin = step.state;
      break;
    case 'enable-health':
      break;
  }
  note(server);
}

export function applyChanges(model: Model, changes: readonly Change[]): void {
  for (const change of changes) for (const step of change.steps) applyStep(model, change.index, step);
}

/** What `show servers state` would say. */
export function observe(model: Model, baseName = 'web'): Observation {
  const servers = new Map<number, ObservedServer>();
  for (const [index, { address, port, weight, admin, isUp, hasChecks, hasAgent, id }] of model) {
    const name = `${baseName}${index}`;
    servers.set(index, {
      index,
      name,
      id,
      address,
      port,
      admin,
      isUp,
      weight,
      hasChecks,
      hasAgent,
      initialWeight: 1,
      hasAddress: true,
    });
  }
  return { servers, unreadable: [], ids: new Set([...model.values()].map(({ id }) => id)) };
}

/** A HAProxy that has just started: every slot in maint on the placeholder. */
export function startedModel(size: number, hasChecks = true): Model {
  return new Map(Array.from({ length: size }, (_, position) => [position + 1, startedServer(position + 1, hasChecks)]));
}

export function startedServer(id: number, hasChecks = true): ModelServer {
  const servedAt = new Set<string>();
  return {
    address: '127.0.0.2',
    port: 80,
    weight: 1,
    admin: 'maint',
    isUp: false,
    hasChecks,
    hasAgent: false,
    id,
    servedAt,
  };
}

export const adminState = fc.constantFrom<AdminState>('ready', 'drain', 'maint');
const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '2001:db8::1');
const port = fc.constantFrom(80, 8080);
const weight = fc.integer({ min: 0, max: 256 });

/** Any wanted entry for one index; targets are identified by their address here, as a source would. */
export const wantedFor = (index: number): fc.Arbitrary<Wanted> =>
  fc.oneof(
    fc.constant<Wanted>({ index, admin: 'maint' }),
    fc
      .record({ admin: adminState, address, port, weight, id: fc.constantFrom('i-1', 'i-2'), isForced: fc.boolean() })
      .map(({ admin, id, isForced, ...rest }): Wanted => {
        return { index, admin, targetId: id, targetName: id, isForced: isForced && admin === 'ready', ...rest };
      }),
  );

export const wantedList = (size: number): fc.Arbitrary<ReadonlyMap<number, Wanted>> =>
  fc
    .tuple(...Array.from({ length: size }, (_, position) => wantedFor(position + 1)))
    .map((list) => new Map(list.map((one) => [one.index, one])));

/** Any state that HAProxy may be in. */
export const anyServer = (id: number): fc.Arbitrary<ModelServer> =>
  fc
    .record({
      address: fc.oneof(address, fc.constant('127.0.0.2')),
      port,
      weight,
      admin: adminState,
      isUp: fc.boolean(),
    })
    .chain((server) => fc.boolean().map((hasChecks) => ({ ...server, hasChecks })))
    .map((server) => ({ ...server, hasAgent: false, id, servedAt: new Set<string>() }));

export const anyModel = (size: number): fc.Arbitrary<Model> =>
  fc
    .tuple(...Array.from({ length: size }, (_, position) => anyServer(position + 1)))
    .map((servers) => new Map(servers.map((server) => [server.id, server])));
