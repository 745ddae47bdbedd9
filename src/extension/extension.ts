import type { Notice } from '../model/notice.ts';

/**
 * What a check, a switcher or a notifier of your own looks like: a file of JavaScript or TypeScript that exports one
 * function, named in the configuration as `{kind: module, path: ./my-check.ts, options: {...}}`. hsdo keeps time, tries
 * again, counts and shows around it, as around its own kinds.
 */

/** A target or an entry point, as an extension is told of it. */
export interface ExtensionTarget {
  readonly id?: string;
  readonly name: string;
  /** An IP address. */
  readonly address: string;
  readonly port?: number;
}

/** What an extension may know of its place. */
export interface ExtensionContext {
  /** The service, or the name of the notifier. */
  readonly name: string;
  /** The domain that the service is known by. */
  readonly domain?: string;
}

/** What one check found. `true` and `false` alone will do. */
export interface CheckAnswer {
  readonly up: boolean;
  /** One sentence for people. */
  readonly reason?: string;
  /** Milliseconds. */
  readonly connectMs?: number;
  readonly totalMs?: number;
}

/** Exported as `createCheck(options, context)`. */
export interface CheckExtension {
  /**
   * Asks one target once. To throw means that it could not be asked, which says nothing against it. End when the signal
   * is aborted: the time is over.
   */
  check(target: ExtensionTarget, signal: AbortSignal): Promise<boolean | CheckAnswer>;
}

/**
 * Exported as `createSwitcher(options, context)`. An error thrown is tried again; one with `code: 'rejected'` only slowly; one
 * with `retryAfterMs` not before that time.
 */
export interface SwitcherExtension {
  /** Name or address of the entry point that the outside points at now; `undefined`: at none yet. Changes nothing. */
  current(signal: AbortSignal): Promise<string | undefined>;
  /** Lets the outside point at `entry`; doing it twice is the same as once. */
  switchTo(entry: ExtensionTarget, signal: AbortSignal): Promise<void>;
}

/** Exported as `createNotifier(options, context)`. Errors as with a switcher. */
export interface NotifierExtension {
  notify(notice: Notice, signal: AbortSignal): Promise<void>;
}

/** What a file has to export, by what it is used for. */
export interface Extensions {
  readonly createCheck: CheckExtension;
  readonly createSwitcher: SwitcherExtension;
  readonly createNotifier: NotifierExtension;
}
