import type { Verified } from '../../model/verified.ts';

/** One entry point of a service, as a switcher is told of it. */
export interface EntryPoint {
  /** As the configuration or the source names it. */
  readonly name: string;
  /** An IP address. */
  readonly address: string;
  readonly port?: number;
}

/**
 * Points something outside at one of a service's targets: a record at a DNS provider, a key of a project's metadata, or
 * whatever a program of the operator does. One attempt a call; time limits, repetition and back-off are the caller's.
 *
 * Both calls throw an HsdoError: `unavailable` when trying again may help (with `retryAfterMs` where the other side says
 * when), `rejected` when it cannot, such as a token without the right.
 */
export interface Switcher {
  /** What the outside points at now, as the name or the address of an entry point; `undefined`: at nothing yet. Changes nothing. */
  current(signal: AbortSignal): Promise<string | undefined>;
  /** Lets the outside point at `entry`; done when it resolves. Doing it twice is the same as once. */
  switchTo(entry: EntryPoint, signal: AbortSignal): Promise<void>;
  /** Looks at what `current` does not show and a switch will need, and changes nothing; `undefined` where nothing more can be told. */
  verify?(signal: AbortSignal): Promise<Verified | undefined>;
}
