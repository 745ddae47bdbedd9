import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.ts';
import { describeError, hasCode } from '../model/error.ts';
import { type Homes, openHomes } from '../publish/homes.ts';
import type { Store } from '../store/store.ts';
import { openStore, type StoreConfig } from '../store/stores.ts';
import type { Clock } from '../time/clock.ts';
import { folderFinding } from './files.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';
import { remedyOf } from './remedy.ts';
import { tableExaminations } from './table.ts';

/** Keys that nobody writes. */
export const neverKey = 'doctor/never';
const otherKey = 'doctor/never-either';
/** A version that a key which is not there does not have, on any engine. */
const neverVersion = '1';

const remedies: Readonly<Record<StoreConfig['kind'], string>> = {
  sqlite: 'give the file and its folder to the user of hsdo, and keep them on a local disk',
  dynamodb: 'look at region, table name and network of the store block',
  etcd: 'look at endpoints, user and password of the store block; `etcdctl endpoint health` asks the members, too',
  consul: 'look at endpoints and token of the store block; `consul info` asks the agent, too',
};

export interface StoreOptions {
  readonly clock: Clock;
  /** Whether this process is to publish: only then it has to write. */
  readonly isServer: boolean;
}

/** The store: whether it answers, may be written, and where there are several members, each of them. */
export function storeExaminations(config: Config, options: StoreOptions): readonly Examination[] {
  const { store } = config;
  const about = `store ${store.kind}`;
  const remedy = remedies[store.kind];
  return [
    { about, remedy, look: (signal) => lookAtStore(about, config, options, signal) },
    ...membersOf(store).map((member) => ({
      about: `${about}, member ${member.name}`,
      remedy,
      look: async (signal: AbortSignal) => [
        await memberFinding(`${about}, member ${member.name}`, member.store, options.clock, signal),
      ],
    })),
    ...(store.kind === 'dynamodb' ? tableExaminations(config, store, options) : []),
  ];
}

async function lookAtStore(
  about: string,
  config: Config,
  { clock, isServer }: StoreOptions,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { store: storeConfig } = config;
  // Opening would make the database, and we only look.
  if (storeConfig.kind === 'sqlite' && !(await isThere(storeConfig.path)))
    return absentDatabase(about, storeConfig.path);
  let homes: Homes | undefined;
  try {
    homes = await openHomes(config, clock, signal);
    const { snapshots, store } = homes;
    const revisions = await Promise.all(
      config.services.map(async ({ name }) => ({ name, revision: await snapshots.revision(name, signal) })),
    );
    await store?.list('doctor/', signal);
    return [
      answersFinding(about, revisions),
      ...(store && isServer ? [await writeFinding(about, store, remedies[storeConfig.kind], signal)] : []),
    ];
  } catch (error) {
    signal.throwIfAborted();
    const said = describeError(error);
    return [fault(about, said, remedyOf(said, remedies[storeConfig.kind]))];
  } finally {
    await homes?.close();
  }
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function absentDatabase(about: string, path: string): Promise<readonly Finding[]> {
  const folder = await folderFinding(`${about}, folder`, dirname(path));
  return [warning(about, `${path} is not there yet`, 'start hsdo --server once: it makes the database'), folder];
}

function answersFinding(
  about: string,
  revisions: readonly { readonly name: string; readonly revision: number }[],
): Finding {
  const unpublished = revisions.filter(({ revision }) => revision === 0).map(({ name }) => name);
  if (unpublished.length === 0)
    return ok(
      about,
      `answers; lists: ${revisions.map(({ name, revision }) => `${name} (revision ${revision})`).join(', ')}`,
    );
  const says = `answers, but nothing is published for ${unpublished.join(', ')}`;
  return warning(
    about,
    says,
    'start hsdo --server with this configuration, or look whether both name the same store and prefix',
  );
}

/**
 * Whether the store may be written, without writing: a commit that demands of a key which nobody has that it had been
 * written before is refused as a conflict by all engines, but only after they looked at the rights to do it.
 */
export async function writeFinding(about: string, store: Store, remedy: string, signal: AbortSignal): Promise<Finding> {
  try {
    const changes = [
      { op: 'check', key: otherKey, expect: null },
      { op: 'put', key: neverKey, value: '', expect: neverVersion },
    ] as const;
    await store.commit(changes, signal);
    return fault(
      about,
      `it took a write that it had to refuse, under the key ${neverKey}`,
      'delete that key, and report this',
    );
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'conflict'))
      return ok(about, 'may be written (a write that had to be refused was refused for the right reason)');
    const said = describeError(error);
    return fault(about, `may be read, not written: ${said}`, remedyOf(said, remedy));
  }
}

/** Each member by itself, where there are several: one that is away is not missed until a second one is. */
function membersOf(store: StoreConfig): readonly { readonly name: string; readonly store: StoreConfig }[] {
  if (store.kind !== 'etcd' && store.kind !== 'consul') return [];
  const names = store.endpoints ?? (store.kind === 'etcd' ? store.hosts : store.url) ?? [];
  if (names.length < 2) return [];
  const alone = (name: string): StoreConfig =>
    store.kind === 'etcd'
      ? { ...store, endpoints: [name], hosts: undefined }
      : { ...store, endpoints: [name], url: undefined };
  return names.map((name) => ({ name, store: alone(name) }));
}

async function memberFinding(about: string, config: StoreConfig, clock: Clock, signal: AbortSignal): Promise<Finding> {
  let store: Store | undefined;
  try {
    store = await openStore(config, clock, signal);
    await store.get(neverKey, signal);
    return ok(about, 'answers');
  } catch (error) {
    signal.throwIfAborted();
    const said = describeError(error);
    return warning(
      about,
      said,
      remedyOf(said, 'start this member again; the others carry on for as long as they are a majority'),
    );
  } finally {
    await store?.close();
  }
}
