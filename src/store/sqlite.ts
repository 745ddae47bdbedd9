import { resolve } from 'node:path';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { assertCommit, assertKey, conflictAt } from './limits.ts';
import {
  closeDatabase,
  type Database,
  openDatabase,
  rollBack,
  watchIdentity,
  whenUnlocked,
} from './sqlite-database.ts';
import type { Change, Entry, Store, Version } from './store.ts';

export const sqliteSchema = z.strictObject({
  kind: z.literal('sqlite'),
  /** The database file; its folder is made when missing. */
  path: z.string().min(1),
});
export type SqliteConfig = z.infer<typeof sqliteSchema>;

/** How often a waiter asks whether anybody committed; one question takes about 10 microseconds. */
const pollMs = 5;

/** Every character of a key sorts before this one, so it ends the range of a prefix. */
const afterKeys = '\x7f';

type Statements = ReturnType<typeof prepare>;

function prepare(db: Database) {
  return {
    get: db.prepare('SELECT key, version, value FROM entries WHERE key = ?'),
    list: db.prepare('SELECT key, version, value FROM entries WHERE key >= ? AND key < ? ORDER BY key'),
    version: db.prepare('SELECT version FROM entries WHERE key = ?'),
    put: db.prepare('INSERT OR REPLACE INTO entries (key, version, value) VALUES (?, ?, ?)'),
    remove: db.prepare('DELETE FROM entries WHERE key = ?'),
    count: db.prepare('UPDATE commits SET last = last + 1 RETURNING last'),
    // Versions never recur, so a removal changes the count and everything else the largest version.
    state: db.prepare(
      "SELECT count(*) || '/' || ifnull(max(version), 0) AS state FROM entries WHERE key >= ? AND key < ?",
    ),
    // Moves when another connection committed (sqlite.org/pragma.html#pragma_data_version).
    dataVersion: db.prepare('PRAGMA data_version'),
  };
}

interface Row {
  readonly key: string;
  readonly version: number;
  readonly value: Uint8Array;
}

const toEntry = ({ key, version, value }: Row): Entry => ({
  key,
  version: String(version),
  value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'),
});

/**
 * The embedded store: one file, any number of processes on one machine. A version is the number of its commit,
 * counted over the whole database, so that none is ever used twice.
 *
 * @throws HsdoError `rejected` for a path that cannot serve as a database, `unavailable` when it stays locked
 */
export async function openSqliteStore(config: SqliteConfig, clock: Clock, signal: AbortSignal): Promise<Store> {
  // A full path is always a file; to SQLite alone ":memory:" and "file:..." would be something else.
  const path = resolve(config.path);
  const db = await openDatabase(path, clock, signal);
  const statements = prepare(db);
  const assertSameFile = watchIdentity(path);
  let ownCommits = 0;
  let isClosed = false;

  const run = async <T>(callSignal: AbortSignal, work: () => T): Promise<T> =>
    whenUnlocked(path, clock, callSignal, () => {
      if (isClosed) throw new HsdoError('unavailable', `Cannot use the database "${path}": it is closed`);
      assertSameFile();
      return work();
    });
  const anyCommits = () =>
    `${ownCommits}/${String((statements.dataVersion.get() as { data_version: number }).data_version)}`;
  const stateOf = (prefix: string) => (statements.state.get(prefix, prefix + afterKeys) as { state: string }).state;

  return {
    async get(key, callSignal) {
      assertKey(key);
      const row = await run(callSignal, () => statements.get.get(key) as Row | undefined);
      return row && toEntry(row);
    },
    async list(prefix, callSignal) {
      const rows = await run(callSignal, () => statements.list.all(prefix, prefix + afterKeys) as Row[]);
      return rows.map(toEntry);
    },
    async commit(changes, callSignal) {
      assertCommit(changes);
      const versions = await run(callSignal, () => apply(db, statements, changes));
      ownCommits += 1;
      return versions;
    },
    async changed(prefix, callSignal) {
      let commits = await run(callSignal, anyCommits);
      const before = await run(callSignal, () => stateOf(prefix));
      for (;;) {
        await clock.sleep(pollMs, callSignal);
        const now = await run(callSignal, anyCommits);
        if (now === commits) continue;
        commits = now;
        if ((await run(callSignal, () => stateOf(prefix))) !== before) return;
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      closeDatabase(db);
    },
  };
}

/** One transaction, start to end within one turn of the event loop, so that commits of this process never mix. */
function apply(db: Database, statements: Statements, changes: readonly Change[]): ReadonlyMap<string, Version> {
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const { key, expect } of changes) {
      if (expect === undefined) continue;
      const row = statements.version.get(key) as { version: number } | undefined;
      if ((row ? String(row.version) : null) !== expect) throw conflictAt(key);
    }
    const versions = writeAll(statements, changes);
    db.exec('COMMIT');
    return versions;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

function writeAll(statements: Statements, changes: readonly Change[]): ReadonlyMap<string, Version> {
  const { last } = statements.count.get() as { last: number };
  const versions = new Map<string, Version>();
  for (const change of changes) {
    if (change.op === 'delete') statements.remove.run(change.key);
    if (change.op !== 'put') continue;
    statements.put.run(change.key, last, Buffer.from(change.value));
    versions.set(change.key, String(last));
  }
  return versions;
}
