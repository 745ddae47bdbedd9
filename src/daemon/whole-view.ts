import type { View } from '../api/view.ts';
import { HsdoError } from '../model/error.ts';
import type { Problem } from '../model/problem.ts';
import { version } from '../telemetry/version.ts';
import { createNudge, type Nudge } from '../time/nudge.ts';
import { clusterView } from './observing/node-views.ts';
import type { ProcessParts } from './process.ts';
import type { StoreHealth } from './store-health.ts';

const distinct = (problems: readonly Problem[]) => [
  ...new Map(problems.map((problem) => [JSON.stringify([problem.part, problem.message]), problem])).values(),
];

/**
 * The view of one role with what keeps the other roles of its process from their work, and, for people alone, with what
 * keeps the configuration on disk from being in use: that makes no process less ready.
 */
export function withWholeProcess(
  view: View,
  { readiness, reloading }: Pick<ProcessParts, 'readiness' | 'reloading'>,
): View {
  const whole = (problems: readonly Problem[]) =>
    distinct([...problems, ...(readiness?.problems() ?? []), ...reloading.problems()]);
  return {
    ...view,
    problems: readiness?.problems ?? view.problems,
    async status() {
      const status = await view.status();
      return { ...status, roles: readiness?.roles ?? status.roles, problems: whole(status.problems) };
    },
    async cluster() {
      const cluster = await view.cluster();
      return { ...cluster, problems: whole(cluster.problems) };
    },
  };
}

/** What a server can tell before its store answered for the first time: that it lives, and what it waits for. */
export function startingView({ config, clock, readiness }: ProcessParts, health: StoreHealth): View {
  const wait = async () => {
    throw new HsdoError('unavailable', 'Cannot answer yet: the store did not answer since this process began');
  };
  const problems = () => readiness?.problems() ?? health.problems();
  return {
    serviceNames: () => config.services.map(({ name }) => name),
    problems,
    pulse: () => ({ services: [] }),
    cluster: async () => ({ ...clusterView({ config, clock, health, problems: problems() }), nodes: 0 }),
    status: async () => ({
      node: config.cluster.nodeId,
      version,
      roles: readiness?.roles ?? ['server'],
      at: clock.now(),
      store: health.view(config.store.kind),
      problems: problems(),
      observers: [],
      services: [],
    }),
    nodes: wait,
    services: wait,
    slots: wait,
    service: wait,
    candidates: wait,
    events: wait,
    audit: wait,
    decommission: wait,
    releaseHold: wait,
    forgetPrimary: wait,
    override: wait,
    switchover: wait,
    maintain: wait,
    purge: wait,
  };
}

/** A view that gives way to another one: who was handed it before asks the other from then on. */
export interface Yielding {
  readonly view: View;
  giveWay(next: View): void;
  /** Nudged whenever it gives way. */
  readonly shown: Nudge;
}

export function createYielding(first: View): Yielding {
  const shown = createNudge();
  let current = first;
  return {
    view: new Proxy(first, { get: (_, name) => Reflect.get(current, name) as unknown }),
    giveWay(next) {
      current = next;
      shown.nudge();
    },
    shown,
  };
}
