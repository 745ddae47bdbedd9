import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync } from '@photostructure/sqlite';
import { describeError, HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';

export type Database = InstanceType<typeof DatabaseSync>;

/** "hsdo" in ASCII: SQLite's mark of whose file this is (sqlite.org/fileformat.html, 1.3.17). */
const applicationId = 0x6873646f;
const schemaVersion = 1;
/** How long one call may block the event loop for a lock that another process holds. */
const busyTimeoutMs = 5;
/** How long locks are waited for altogether, without blocking. */
const lockPatienceMs = 5000;

/** Primary result codes (sqlite.org/rescode.html) that a repetition may cure. */
const busyCodes = new Set([5, 6]);
const refusals: Readonly<Record<number, string>> = {
  1: 'its content is not what hsdo wrote',
  3: 'permission is denied',
  8: 'it can only be read; hsdo must be able to write the file and its folder',
  11: 'it is damaged; restore it or move it away',
  13: 'the disk is full',
  14: 'it cannot be opened; check that the folder exists and that hsdo may write there',
  23: 'access is denied',
  26: 'it is not a database; move it away or name another path',
};

/** The driver for Node 20 leaves the number out of errors met while rows are read; the texts are SQLite's own. */
const codesByText: Readonly<Record<string, number>> = {
  'database is locked': 5,
  'database table is locked': 6,
  'disk I/O error': 10,
  'database disk image is malformed': 11,
  'file is not a database': 26,
};
const unnumbered = -1;

function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  const code: unknown = 'errcode' in error ? error.errcode : codesByText[error.message];
  return typeof code === 'number' ? code & 0xff : unnumbered;
}

/** True for a lock that another process or handle holds for the moment. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && busyCodes.has(code);
}

/** What an SQLite failure means: a refusal that needs somebody's hand is `rejected`, all else `unavailable`. */
export function sqliteFailure(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof HsdoError || code === undefined) return error;
  const refusal = refusals[code];
  const why = refusal ?? describeError(error);
  return new HsdoError(refusal ? 'rejected' : 'unavailable', `Cannot use the database "${path}": ${why}`, {
    cause: error,
  });
}

/**
 * Runs `work`, which must be done or undone when it throws, again while another process holds the lock; waits
 * between tries without blocking the event loop.
 *
 * @throws HsdoError `unavailable` when the lock was not free in 5 s; otherwise as {@link sqliteFailure} says
 */
export async function whenUnlocked<T>(path: string, clock: Clock, signal: AbortSignal, work: () => T): Promise<T> {
  const giveUpAt = clock.monotonic() + lockPatienceMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw sqliteFailure(path, error);
      if (clock.monotonic() >= giveUpAt) {
        const message = `Cannot use the database "${path}": another process kept it locked for ${lockPatienceMs} ms`;
        throw new HsdoError('unavailable', message, { cause: error });
      }
    }
    await clock.sleep(1 + Math.random() * 15, signal);
  }
}

/**
 * Node's own SQLite where it has one (22.5 and later), else the package with the same interface. One process must
 * use one of them only: a process does not see its own file locks (sqlite.org/howtocorrupt.html, 2.2.1).
 */
export async function loadDriver(): Promise<typeof DatabaseSync> {
  const builtin = process.getBuiltinModule('node:sqlite') as { DatabaseSync: typeof DatabaseSync } | undefined;
  return builtin?.DatabaseSync ?? (await import('@photostructure/sqlite')).DatabaseSync;
}

/**
 * Opens the file, makes it where there is none, and refuses one that is not ours or that a newer hsdo wrote.
 *
 * @throws HsdoError `rejected` or `unavailable`
 */
export async function openDatabase(path: string, clock: Clock, signal: AbortSignal): Promise<Database> {
  await makeFolder(dirname(path));
  const Driver = await loadDriver();
  const db = await whenUnlocked(path, clock, signal, () => new Driver(path));
  try {
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    await whenUnlocked(path, clock, signal, () => assertOurs(db, path));
    await whenUnlocked(path, clock, signal, () => useWal(db, path));
    await whenUnlocked(path, clock, signal, () => createSchema(db, path));
    return db;
  } catch (error) {
    db.close();
    throw sqliteFailure(path, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw new HsdoError('rejected', `Cannot make the folder "${folder}" for the database`, { cause: error });
  }
}

function pragma(db: Database, name: string): unknown {
  return Object.values((db.prepare(`PRAGMA ${name}`).get() ?? {}) as Record<string, unknown>)[0];
}

/** Looks before anything is changed: somebody else's database must stay as it is. */
function assertOurs(db: Database, path: string): void {
  const owner = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number };
  if (owner === applicationId && Number(version) > schemaVersion) {
    const message = `Cannot use the database "${path}": a newer hsdo wrote it (schema ${String(version)}, this one knows ${schemaVersion})`;
    throw new HsdoError('rejected', message);
  }
  if (owner !== applicationId && (tables > 0 || owner !== 0)) {
    throw new HsdoError('rejected', `Cannot use the database "${path}": it belongs to another program`);
  }
}

/** Write-ahead log: readers never wait for a writer. NORMAL loses nothing that was committed when a process dies. */
function useWal(db: Database, path: string): void {
  const mode = pragma(db, 'journal_mode = WAL');
  if (mode !== 'wal') {
    const message = `Cannot use the database "${path}": its file system has no shared memory for a write-ahead log (journal mode "${String(mode)}"); name a path on a local disk`;
    throw new HsdoError('rejected', message);
  }
  db.exec('PRAGMA synchronous = NORMAL');
}

function createSchema(db: Database, path: string): void {
  if (pragma(db, 'application_id') === applicationId) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    assertOurs(db, path);
    db.exec(`
      CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS commits (last INTEGER NOT NULL) STRICT;
      INSERT INTO commits (last) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM commits);
      PRAGMA application_id = ${applicationId};
      PRAGMA user_version = ${schemaVersion};
    `);
    db.exec('COMMIT');
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** Ends a transaction that failed; SQLite may have ended it by itself already. */
export function rollBack(db: Database): void {
  try {
    db.exec('ROLLBACK');
  } catch {
    // No transaction is open any more, which is what was wanted.
  }
}

/**
 * Gives a check that the path still leads to the file that was opened; it throws `unavailable` when not. SQLite itself goes on writing to a file that was
 * removed, where no other process will ever read it.
 */
export function watchIdentity(path: string): () => void {
  const identify = () => {
    const { dev, ino } = statSync(path);
    return `${dev}/${ino}`;
  };
  const opened = identify();
  return () => {
    const message = `Cannot use the database "${path}": the file was removed or replaced while in use; restart hsdo`;
    let found: string;
    try {
      found = identify();
    } catch (error) {
      throw new HsdoError('unavailable', message, { cause: error });
    }
    if (found !== opened) throw new HsdoError('unavailable', message);
  };
}

/**
 * Closes the file and moves the write-ahead log into it. SQLite would do so by itself, but a driver that cannot
 * finalise its statements keeps the connection half open until they are collected.
 */
export function closeDatabase(db: Database): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // Somebody else is using the log, or the disk is full: the log stays and is read again at the next start.
  }
  db.close();
}
