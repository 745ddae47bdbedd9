import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite.ts';
import { loadDriver, sqliteFailure } from '../../../src/store/sqlite-database.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const DatabaseSync = await loadDriver();
const never = new AbortController().signal;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-sqlite-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (path: string, clock = systemClock) => openSqliteStore({ kind: 'sqlite', path }, clock, never);
const pathOf = (...names: string[]) => join(folder, ...names);

/** Runs SQL on a file as another program would. */
function sql(path: string, text: string): void {
  const db = new DatabaseSync(path);
  db.exec(text);
  db.close();
}

describe('opening an embedded store', () => {
  it('makes the folder, closed to others, and the file', async () => {
    const store = await open(pathOf('var', 'lib', 'hsdo.db'));
    expect((await stat(pathOf('var', 'lib'))).mode & 0o027).toBe(0);
    await store.commit([{ op: 'put', key: 'k', value: 'v' }], never);
    await store.close();
    const again = await open(pathOf('var', 'lib', 'hsdo.db'));
    expect((await again.get('k', never))?.value).toBe('v');
    await again.close();
  });

  it('refuses a file that is no database and leaves it as it is', async () => {
    const text = 'a shopping list, and nothing else\n'.repeat(100);
    await writeFile(pathOf('list.txt'), text);
    await expect(open(pathOf('list.txt'))).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('not a database'),
    });
    expect(await readFile(pathOf('list.txt'), 'utf8')).toBe(text);
  });

  it("refuses another program's database and leaves it as it is", async () => {
    sql(pathOf('other.db'), 'CREATE TABLE contacts (name TEXT)');
    const before = await readFile(pathOf('other.db'));
    await expect(open(pathOf('other.db'))).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('another program'),
    });
    expect((await readFile(pathOf('other.db'))).equals(before)).toBe(true);
  });

  it('refuses a database that a newer hsdo wrote, and says so', async () => {
    await (await open(pathOf('hsdo.db'))).close();
    sql(pathOf('hsdo.db'), 'PRAGMA user_version = 7');
    await expect(open(pathOf('hsdo.db'))).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('a newer hsdo wrote it (schema 7'),
    });
  });

  it('refuses a path that cannot be one', async () => {
    await writeFile(pathOf('file'), '');
    await mkdir(pathOf('folder.db'));
    for (const path of [pathOf('file', 'hsdo.db'), pathOf('folder.db')]) {
      await expect(open(path)).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('folder') });
    }
  });

  it('says of a damaged file that it is damaged, and does not replace it', async () => {
    const store = await open(pathOf('hsdo.db'));
    for (let n = 0; n < 200; n++) await store.commit([{ op: 'put', key: `k/${n}`, value: 'x'.repeat(500) }], never);
    await store.close();
    const bytes = await readFile(pathOf('hsdo.db'));
    bytes.fill(0xa5, 8192);
    await writeFile(pathOf('hsdo.db'), bytes);
    const damaged = await open(pathOf('hsdo.db'));
    await expect(damaged.list('', never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('damaged'),
    });
    await damaged.close();
    expect((await readFile(pathOf('hsdo.db'))).equals(bytes)).toBe(true);
  });

  it('notices that its file was removed or replaced, and never writes where nobody reads', async () => {
    const store = await open(pathOf('hsdo.db'));
    const put = () => store.commit([{ op: 'put', key: 'k', value: 'v' }], never);
    await put();
    await rename(pathOf('hsdo.db'), pathOf('moved.db'));
    const gone = { code: 'unavailable', message: expect.stringContaining('removed or replaced') };
    await expect(put()).rejects.toMatchObject(gone);
    const another = await open(pathOf('hsdo.db'));
    await expect(put()).rejects.toMatchObject(gone);
    await expect(store.get('k', never)).rejects.toMatchObject(gone);
    expect(await another.get('k', never)).toBeUndefined();
    await another.close();
    await store.close();
  });

  it('calls a full disk and a read-only file by their names', async () => {
    const db = new DatabaseSync(pathOf('full.db'));
    db.exec('CREATE TABLE t (v TEXT); PRAGMA max_page_count = 3');
    const fill = () => db.exec(`INSERT INTO t VALUES ('${'x'.repeat(50_000)}')`);
    const full = (() => {
      try {
        return fill();
      } catch (error) {
        return sqliteFailure('full.db', error);
      }
    })();
    expect(full).toMatchObject({ code: 'rejected', message: 'Cannot use the database "full.db": the disk is full' });
    db.close();
    const reader = new DatabaseSync(pathOf('full.db'), { readOnly: true });
    const refused = (() => {
      try {
        return reader.exec('DELETE FROM t');
      } catch (error) {
        return sqliteFailure('full.db', error);
      }
    })();
    expect(refused).toMatchObject({ code: 'rejected', message: expect.stringContaining('can only be read') });
    reader.close();
    await chmod(pathOf('full.db'), 0o600);
  });
});

describe('a lock that somebody else holds', () => {
  it('is waited for without blocking, and then the commit goes through', async () => {
    const store = await open(pathOf('hsdo.db'));
    const other = new DatabaseSync(pathOf('hsdo.db'));
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const ticking = setInterval(() => void turns++, 1);
    const committed = store.commit([{ op: 'put', key: 'k', value: 'v' }], never);
    setTimeout(() => other.exec('COMMIT'), 100);
    await committed;
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(3);
    expect((await store.get('k', never))?.value).toBe('v');
    other.close();
    await store.close();
  });

  it('is given up after five seconds as unavailable, and earlier when the caller gives up', async () => {
    const clock = createFakeClock();
    const store = await open(pathOf('hsdo.db'), clock);
    const other = new DatabaseSync(pathOf('hsdo.db'));
    other.exec('BEGIN IMMEDIATE');
    const put = (signal: AbortSignal) => store.commit([{ op: 'put', key: 'k', value: 'v' }], signal);
    const late = expect(put(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('locked for 5000 ms'),
    });
    for (let n = 0; n < 120; n++) await clock.advance(50);
    await late;
    const caller = new AbortController();
    const stopped = expect(put(caller.signal)).rejects.toThrow('stopping');
    await clock.advance(0);
    caller.abort(new Error('stopping'));
    await stopped;
    other.exec('ROLLBACK');
    other.close();
    expect(await store.get('k', never)).toBeUndefined();
    await store.close();
  });

  it('never hinders a reader', async () => {
    const store = await open(pathOf('hsdo.db'));
    await store.commit([{ op: 'put', key: 'k', value: 'v' }], never);
    const other = new DatabaseSync(pathOf('hsdo.db'));
    other.exec("BEGIN IMMEDIATE; UPDATE entries SET value = x'00'");
    expect((await store.get('k', never))?.value).toBe('v');
    other.exec('ROLLBACK');
    other.close();
    await store.close();
  });
});
