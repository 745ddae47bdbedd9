import { HsdoError } from '../model/error.ts';
import { type Change, maxCommitChanges } from './store.ts';

const maxKeyBytes = 512;
/** Bytes of the longest value, in UTF-8. */
export const maxValueBytes = 256 * 1024;

/**
 * Demands that a key is what every engine takes: 1 to 512 characters of printable ASCII.
 *
 * @throws HsdoError `rejected`
 */
export function assertKey(key: string): void {
  if (key.length <= maxKeyBytes && /^[\x20-\x7e]+$/.test(key)) return;
  throw new HsdoError(
    'rejected',
    `Cannot use the key ${JSON.stringify(key.slice(0, 80))}: a key has 1 to ${maxKeyBytes} characters of printable ASCII`,
  );
}

function assertValue(key: string, value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > maxValueBytes) {
    throw new HsdoError('rejected', `Cannot write "${key}": ${bytes} bytes, at most ${maxValueBytes} are allowed`);
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new HsdoError('rejected', `Cannot write "${key}": half a surrogate pair is not text that can be stored`);
  }
}

/**
 * Demands that a commit keeps the limits of the contract, before any engine sees it.
 *
 * @throws HsdoError `rejected`
 */
export function assertCommit(changes: readonly Change[]): void {
  if (changes.length === 0 || changes.length > maxCommitChanges) {
    throw new HsdoError('rejected', `Cannot commit ${changes.length} changes: 1 to ${maxCommitChanges} go together`);
  }
  const keys = new Set<string>();
  for (const change of changes) {
    assertKey(change.key);
    if (change.op === 'put') assertValue(change.key, change.value);
    if (keys.has(change.key)) throw new HsdoError('rejected', `Cannot commit: "${change.key}" is named twice`);
    keys.add(change.key);
  }
}

/** The failure of an expectation, in the same words on every engine. */
export function conflictAt(key: string, options?: { cause?: unknown }): HsdoError {
  return new HsdoError('conflict', `Cannot commit: "${key}" is not as expected, somebody wrote first`, options);
}
