import type { Notice } from '../../model/notice.ts';
import type { Verified } from '../../model/verified.ts';

/**
 * Tells people or programs. One attempt a call; order, repetition, back-off, grouping and limits are the caller's. Throws
 * an HsdoError: `unavailable` when trying again may help (with `retryAfterMs` where the other side says when), `rejected`
 * when it cannot.
 */
export interface Notifier {
  notify(notice: Notice, signal: AbortSignal): Promise<void>;
  /** Work that only the leader's notifier does meanwhile, such as listening for people who join; ends with the signal. */
  run?(signal: AbortSignal): Promise<void>;
  /** Goes as far as it can without telling anybody anything, and says what answered; throws as `notify` does. */
  verify?(signal: AbortSignal): Promise<Verified>;
}

/**
 * A place of a notifier's own in the store: small texts under names. It outlives restarts and changes of leader, and only the
 * leader writes there. Throws as the store does, `conflict` once this process does not lead any more.
 */
export interface Keep {
  list(signal: AbortSignal): Promise<readonly { readonly name: string; readonly value: string }[]>;
  put(name: string, value: string, signal: AbortSignal): Promise<void>;
  delete(name: string, signal: AbortSignal): Promise<void>;
}
