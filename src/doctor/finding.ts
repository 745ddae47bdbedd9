/** `fault`: something will not work; `warning`: it may bite one day; `ok`: looked at, and in order. */
export type FindingState = 'ok' | 'warning' | 'fault';

/** One thing that was looked at. */
export interface Finding {
  readonly state: FindingState;
  /** What was looked at: `HAProxy /run/haproxy/admin.sock`. */
  readonly about: string;
  /** What is the case. */
  readonly says: string;
  /** What to do; every warning and every fault has one. */
  readonly remedy?: string;
}

export const ok = (about: string, says: string): Finding => ({ state: 'ok', about, says });
export const warning = (about: string, says: string, remedy: string): Finding => ({
  state: 'warning',
  about,
  says,
  remedy,
});
export const fault = (about: string, says: string, remedy: string): Finding => ({
  state: 'fault',
  about,
  says,
  remedy,
});

/** One question to the world around hsdo, which changes nothing there. */
export interface Examination {
  readonly about: string;
  /** What to do where it fails without a word of its own on that. */
  readonly remedy: string;
  /** What it finds; a failure that it throws is a fault. */
  look(signal: AbortSignal): Promise<readonly Finding[]>;
}
