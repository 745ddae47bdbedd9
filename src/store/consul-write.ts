import { randomInt } from 'node:crypto';
import { HsdoError } from '../model/error.ts';
import { isDenied, lacksRight, type Pair, type Refusals } from './consul-answers.ts';
import type { ConsulClient, Operation } from './consul-client.ts';
import { assertCommit, conflictAt } from './limits.ts';
import { pack } from './packing.ts';
import type { Change, Version } from './store.ts';

const action = 'commit';
/** Most operations of one transaction (Consul API, Transactions). */
const maxOperations = 64;
/** Below 2^48, so that JSON's numbers hold it. */
const maxMark = 2 ** 48 - 1;

/** Reads one key as it surely is. */
export type ReadPair = (key: string, signal: AbortSignal) => Promise<Pair | undefined>;

/**
 * Applies all changes in one transaction. Every commit gives what it puts a mark of its own, in the flags that Consul
 * keeps beside a value, and knows itself by it after a lost answer.
 *
 * @throws HsdoError `conflict` when it surely lost, `rejected` when Consul refuses it for good, `unavailable` when it was
 * not done as far as can be seen, or when that cannot be told
 */
export async function commitToConsul(
  client: ConsulClient,
  readPair: ReadPair,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Version>> {
  assertCommit(changes);
  signal.throwIfAborted();
  const impossible = changes.find(({ expect }) => typeof expect === 'string' && !isIndex(expect));
  if (impossible) throw conflictAt(impossible.key);
  const mark = randomInt(1, maxMark);
  const steps = changes.flatMap((change) =>
    toOperations(client.prefix, change, mark).map((operation) => ({ change, operation })),
  );
  if (steps.length > maxOperations) {
    const message = `Cannot ${action}: Consul takes ${maxOperations} operations at once, and this needs ${steps.length}; a removal at an expected version needs two`;
    throw new HsdoError('rejected', message);
  }
  const operations = steps.map(({ operation }) => operation);
  const isCheck = changes.every(({ op }) => op === 'check');
  const sent = isCheck
    ? await client.read(action, operations, 'consistent', signal)
    : await client.write(action, operations, signal);
  if ('doubt' in sent) return settle(readPair, changes, { mark, doubt: sent.doubt }, signal);
  if ('refusals' in sent) {
    const changeAt = (n: number) => steps[n]?.change;
    throw refused(client.prefix, sent.refusals, changeAt);
  }
  return versionsIn(client.prefix, changes, sent.pairs);
}

/** An index of Consul that JSON's numbers can hold. */
const isIndex = (version: Version) => /^[1-9]\d{0,15}$/.test(version) && Number.isSafeInteger(Number(version));

function toOperations(prefix: string, change: Change, mark: number): readonly Operation[] {
  const key = prefix + change.key;
  const index = typeof change.expect === 'string' ? Number(change.expect) : 0;
  switch (change.op) {
    case 'put': {
      const put = { key, value: pack(change.value).toString('base64'), flags: mark };
      return [change.expect === undefined ? { verb: 'set', ...put } : { verb: 'cas', ...put, index }];
    }
    case 'check':
      return [change.expect === null ? { verb: 'check-not-exists', key } : { verb: 'check-index', key, index }];
    case 'delete':
      if (change.expect === undefined) return [{ verb: 'delete', key }];
      if (change.expect === null) return [{ verb: 'check-not-exists', key }];
      // delete-cas alone is content with a key that somebody else has removed.
      return [
        { verb: 'check-index', key, index },
        { verb: 'delete', key },
      ];
  }
}

function versionsIn(prefix: string, changes: readonly Change[], pairs: readonly Pair[]): ReadonlyMap<string, Version> {
  const found = new Map(pairs.map((pair) => [pair.Key, pair]));
  return new Map(
    changes
      .filter(({ op }) => op === 'put')
      .map(({ key }) => {
        const pair = found.get(prefix + key);
        if (!pair) throw new HsdoError('unavailable', `Cannot ${action}: Consul left out what became of "${key}"`);
        return [key, String(pair.ModifyIndex)] as const;
      }),
  );
}

function refused(prefix: string, refusals: Refusals, changeAt: (operation: number) => Change | undefined): HsdoError {
  const [first] = refusals as [Refusals[number]];
  const change = changeAt(first.OpIndex);
  const said = `Cannot ${action}: Consul said ${JSON.stringify(first.What.slice(0, 200))}`;
  if (isDenied(refusals)) return lacksRight(said, prefix);
  return change?.expect === undefined
    ? new HsdoError('rejected', said)
    : conflictAt(change.key, { cause: new Error(said) });
}

/**
 * Our mark under any key shows that the commit is done, and with nothing to put, that all is gone. A key that still
 * stands at the version that we wanted to replace shows that it is not. Where all is otherwise, others have written; Consul
 * keeps no history, so nobody can tell whether they did so before or after: that is told as it is, and the next try finds
 * out.
 */
async function settle(
  readPair: ReadPair,
  changes: readonly Change[],
  { mark, doubt }: { readonly mark: number; readonly doubt: HsdoError },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Version>> {
  const found = await Promise.all(
    changes.map(async (change) => ({ change, pair: await readPair(change.key, signal) })),
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    const message = `Cannot ${action}: the answer was lost and it cannot be read what became of the write: ${doubt.message}`;
    throw new HsdoError('unavailable', message, { cause: error });
  });
  const ours = found.find(({ change, pair }) => change.op === 'put' && pair?.Flags === mark)?.pair;
  if (ours) {
    const version = String(ours.ModifyIndex);
    return new Map(changes.filter(({ op }) => op === 'put').map(({ key }) => [key, version]));
  }
  const versionOf = (pair: Pair | undefined) => (pair === undefined ? null : String(pair.ModifyIndex));
  const writes = found.filter(({ change }) => change.op !== 'check');
  if (writes.every(({ change, pair }) => change.op === 'delete' && pair === undefined)) return new Map();
  const isNotDone = writes.some(({ change, pair }) => pair !== undefined && versionOf(pair) === change.expect);
  const loser = found.find(({ change, pair }) => change.expect !== undefined && versionOf(pair) !== change.expect);
  if (isNotDone && loser) throw conflictAt(loser.change.key, { cause: doubt });
  const what = loser ? `the answer was lost, and "${loser.change.key}" was written since: ` : '';
  throw new HsdoError('unavailable', `Cannot ${action}: ${what}${doubt.message}`, { cause: doubt.cause });
}
