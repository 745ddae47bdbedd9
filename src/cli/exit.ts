/** Exit codes, so that a scheduler or a script can tell what happened. */
export const exitCodes = {
  ok: 0,
  /** What was asked could not be done. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** `hsdo status --exit-code`: it answers, and something is not in order. */
  unhealthy: 3,
  /** A bug; the supervisor starts the process anew. */
  bug: 70,
  /** The configuration is wrong; starting anew cannot help. */
  config: 78,
} as const;

/** Ends a command with a message on standard error and an exit code. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'Exit';
    this.exitCode = exitCode;
  }
}
