import type { ServiceView } from '../api/view.ts';
import type { ServiceConfig } from '../config/schema.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Homes } from '../publish/homes.ts';
import { createReports, type Report } from '../publish/reports.ts';
import type { Requests } from '../publish/requests.ts';
import type { Clock } from '../time/clock.ts';
import { createLastAnswers } from './last-answers.ts';
import type { ServedService } from './served-service.ts';
import type { Asking } from './server-commands.ts';
import { serviceView } from './service-view.ts';

/** The services of a server, for those who look at them. */
export interface ServedViews {
  /** All of them. What the store does not tell now stands as it was told last; nothing is rejected for that. */
  all(): Promise<readonly ServiceView[]>;
  /** One, and the list that its view is made of. Rejects while the list cannot be read. */
  one(served: ServedService): Promise<{ readonly view: ServiceView; readonly snapshot: Snapshot | undefined }>;
  /** The list that stands. Rejects while it cannot be read. */
  newest(served: ServedService): Promise<Snapshot | undefined>;
}

/** A client refreshes its report every minute; one that fell silent for longer is not shown. */
const silentMs = 5 * 60_000;

/** @param looking - Calls the store, and gives that up before those who look lose their patience. */
export function createServedViews(parts: {
  readonly served: readonly ServedService[];
  readonly homes: Pick<Homes, 'snapshots' | 'store'>;
  readonly requests: Pick<Requests, 'read'>;
  readonly hasQuorum: (service: ServiceConfig) => boolean;
  readonly looking: Asking;
  readonly clock: Pick<Clock, 'now'>;
}): ServedViews {
  const { served, homes, requests, hasQuorum, looking, clock } = parts;
  const { snapshots, store } = homes;
  const newest: ServedViews['newest'] = async ({ name, leading }) =>
    leading.last()?.snapshot ?? (await looking((signal) => snapshots.read(name, signal)));

  const lists = createLastAnswers(newest);
  const asked = createLastAnswers(({ name, leading }: ServedService) => {
    const last = leading.last();
    return last ? Promise.resolve(last.asked) : looking((signal) => requests.read(name, signal));
  });
  const reported = createLastAnswers(async (sinceAt: () => number) =>
    store ? looking((signal) => createReports(store).list(sinceAt(), signal)) : [],
  );
  const freshAt = () => clock.now() - silentMs;
  const reports = async () => ((await reported(freshAt))?.value ?? []).filter(({ at }) => at >= freshAt());

  /** What is known of a service beside its list. */
  async function beside(one: ServedService, clients: Promise<readonly Report[]>) {
    const [requested, all] = await Promise.all([asked(one), clients]);
    const switched = one.switching?.view();
    return {
      shrinkBlockedBy: one.leading.last()?.shrinkBlockedBy ?? [],
      sources: one.sources.views(),
      duplicates: one.sources.duplicates(),
      overrides: requested?.value.overrides ?? [],
      ...(switched ? { switch: switched } : {}),
      clients: all.filter(({ service }) => service === one.name),
    };
  }
  return {
    newest,
    async all() {
      const clients = reports();
      return Promise.all(
        served.map(async (one) => {
          const [list, rest] = await Promise.all([lists(one), beside(one, clients)]);
          const known = list?.isNew ? list.value : laterOf(list?.value, one.leading.former());
          const view = { ...serviceView(one.name, known, hasQuorum(one.service)), ...rest };
          return list === undefined && known === undefined ? { ...view, state: 'unknown' as const } : view;
        }),
      );
    },
    async one(served) {
      const [snapshot, rest] = await Promise.all([newest(served), beside(served, reports())]);
      return { view: { ...serviceView(served.name, snapshot, hasQuorum(served.service)), ...rest }, snapshot };
    },
  };
}

/** Whoever led knows what it published itself, though it may not have read that since. */
function laterOf(one: Snapshot | undefined, other: Snapshot | undefined): Snapshot | undefined {
  return (other?.revision ?? 0) > (one?.revision ?? 0) ? other : one;
}
