import { HsdoError } from '../model/error.ts';
import type { Refusal } from '../model/target.ts';
import { createDynamoStore, type DynamodbConfig } from '../store/dynamodb.ts';
import { type Dynamo, openDynamo } from '../store/dynamodb-client.ts';
import { checkAction } from '../store/dynamodb-items.ts';
import type { Store } from '../store/store.ts';
import { openStore, type StoreConfig } from '../store/stores.ts';
import type { Clock } from '../time/clock.ts';
import { createHsdoLease } from './dynamodb-lease.ts';
import { releaseTable } from './dynamodb-release.ts';
import { createHsdoSnapshots } from './dynamodb-snapshots.ts';
import { type HsdoTable, hsdoTableKey } from './dynamodb-table.ts';
import { createRecordLease, fenceKey } from './record-lease.ts';
import { createRecordSnapshots } from './record-snapshots.ts';
import type { Snapshots } from './snapshots.ts';
import type { LeaseHome } from './term.ts';

/** Where a process finds the lease, the snapshots and everything else that it shares with others. */
export interface Homes {
  readonly lease: LeaseHome;
  readonly snapshots: Snapshots;
  /** The plain store; absent where HSDO's table is all there is. */
  readonly store?: Store;
  /** Gives HSDO's table back to HSDO; absent where none is configured. Resolves with the number of its slots. */
  release?(options: { readonly force: boolean }, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** The parts of the configuration that decide about homes. */
export interface HomesConfig {
  readonly store: StoreConfig;
  readonly services: readonly {
    readonly name: string;
    readonly weight: { readonly min: number; readonly increase: number; readonly intervalSeconds: number };
  }[];
  /** Where the AWS account and region are said once for the whole process. */
  readonly aws?: { readonly region?: string | undefined; readonly profile?: string | undefined };
}

/**
 * Opens what the configuration names as store. HSDO's table alone holds lease and list of one service; beside a plain
 * store it holds the list only, and every write of it is tied to the fence in the plain store.
 *
 * @throws HsdoError `config` when it cannot be told which service lives in HSDO's table; else as the store does
 */
export async function openHomes(
  config: HomesConfig,
  clock: Clock,
  signal: AbortSignal,
  onRefusals?: (refusals: readonly Refusal[]) => void,
): Promise<Homes> {
  const { store: storeConfig, aws } = config;
  if (storeConfig.kind !== 'dynamodb') return onPlainStore(await openStore(storeConfig, clock, signal));
  const dynamo = await openDynamo({
    ...storeConfig,
    region: storeConfig.region ?? aws?.region,
    profile: storeConfig.profile ?? aws?.profile,
  });
  const { table, scope } = storeConfig;
  const store = table === undefined ? undefined : createDynamoStore(dynamo, { table, scope }, clock);
  const hsdo = hsdoTableOf(config, storeConfig, dynamo, { clock, onRefusals });
  if (store && !hsdo) return onPlainStore(store);
  if (!hsdo) throw new HsdoError('config', 'Cannot open the store: expected table, hsdoTable or both');
  const lease = store ? createRecordLease(store) : createHsdoLease(hsdo);
  const own = createHsdoSnapshots(hsdo);
  return {
    lease,
    snapshots: store ? divide(hsdo.service, own, createRecordSnapshots(store)) : own,
    ...(store ? { store } : {}),
    release: (options, callSignal) => releaseTable(hsdo, lease, options, callSignal),
    close: async () => dynamo.client.destroy(),
  };
}

function onPlainStore(store: Store): Homes {
  return {
    lease: createRecordLease(store),
    snapshots: createRecordSnapshots(store),
    store,
    close: () => store.close(),
  };
}

function hsdoTableOf(
  { services }: HomesConfig,
  { hsdoTable, hsdoService, table, scope }: DynamodbConfig,
  dynamo: Dynamo,
  rest: Pick<HsdoTable, 'clock' | 'onRefusals'>,
): HsdoTable | undefined {
  if (hsdoTable === undefined) return undefined;
  const [first, ...others] = services;
  const service = hsdoService === undefined ? first : services.find(({ name }) => name === hsdoService);
  if (service === undefined || (hsdoService === undefined && others.length > 0)) {
    const names = services.map(({ name }) => `"${name}"`).join(', ');
    const message = `Cannot tell which service lives in table "${hsdoTable}": set hsdoService to one of ${names}`;
    throw new HsdoError('config', message);
  }
  const { min, increase, intervalSeconds } = service.weight;
  return {
    dynamo,
    name: hsdoTable,
    key: hsdoTableKey,
    service: service.name,
    ramp: { min, increase, intervalMs: intervalSeconds * 1000 },
    fenceAction: table === undefined ? undefined : ({ fence }) => checkAction({ table, scope }, fenceKey, fence),
    ...rest,
  };
}

/** One service in HSDO's table, all others in the plain store. */
function divide(hsdoService: string, own: Snapshots, others: Snapshots): Snapshots {
  const of = (service: string) => (service === hsdoService ? own : others);
  return {
    revision: (service, signal) => of(service).revision(service, signal),
    read: (service, signal) => of(service).read(service, signal),
    write: (previous, desired, ...rest) => of(desired.service).write(previous, desired, ...rest),
  };
}
