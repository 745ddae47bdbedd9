/**
 * Why one run of a check came out as it did. The codes are stable: people alert on them. Those of a target that is
 * up (`ok`) or that could not be asked (`no-quorum`, `full`, `error`) say nothing against it.
 *
 * | code             | what was found                                                           |
 * | ---------------- | ------------------------------------------------------------------------ |
 * | `ok`             | it passes                                                                |
 * | `timeout`        | no answer, or none that was complete, within the time-out                |
 * | `refused`        | nobody listens on the port                                               |
 * | `unreachable`    | no route to the host or network                                          |
 * | `dns`            | the name of the target has no address                                    |
 * | `reset`          | the connection ended before the answer was complete                      |
 * | `tls`            | the certificate or the handshake is not acceptable                       |
 * | `protocol`       | what came is not what the protocol allows                                |
 * | `status`         | an answer with a code that is not expected; the sentence names it        |
 * | `body`           | the expected text is not in the answer                                   |
 * | `redirect`       | too many redirects, or one that may not be followed                      |
 * | `exit`           | an executable ended with another code than 0; the sentence names it      |
 * | `signal`         | an executable was ended by a signal                                      |
 * | `extension`      | a check of the user's own says no; the sentence is its reason            |
 * | `login`          | user or password are not accepted                                        |
 * | `full`           | the server takes no more connections, which does not make it dead        |
 * | `not-primary`    | a replica where the primary is wanted                                    |
 * | `not-replica`    | a primary where a replica is wanted                                      |
 * | `not-master`     | not the master that the sentinels agree on                               |
 * | `no-quorum`      | no majority of the sentinels agrees on a master                          |
 * | `second-primary` | another primary has the newer timeline, or was there first               |
 * | `error`          | the question could not be asked, such as a missing executable            |
 */
export const probeCodes = [
  'ok',
  'timeout',
  'refused',
  'unreachable',
  'dns',
  'reset',
  'tls',
  'protocol',
  'status',
  'body',
  'redirect',
  'exit',
  'signal',
  'extension',
  'login',
  'full',
  'not-primary',
  'not-replica',
  'not-master',
  'no-quorum',
  'second-primary',
  'error',
] as const;

export type ProbeCode = (typeof probeCodes)[number];

/** What a target says it is in a group that has one writer. */
export type Role = 'primary' | 'replica';

/** One run of a check. */
export interface Probe {
  /** `unknown`: the question could not be asked; neither a yes nor a no. */
  readonly result: 'up' | 'down' | 'unknown';
  readonly code: ProbeCode;
  /** One sentence for people: what was found and what was expected. Holds no secret and at most 300 characters. */
  readonly message: string;
  /** From the start until the connection stood, milliseconds (har's rtt mode `connect`). */
  readonly connectMs?: number;
  /** From the start until the whole answer was there, milliseconds (rtt mode `total`). */
  readonly totalMs?: number;
  readonly role?: Role;
  /** Generation of the primary: after a promotion the new one has the higher. */
  readonly timeline?: number;
}

const maxMessageChars = 300;

/** The probe of a target that passes. */
export function passed(message: string, facts: Omit<Probe, 'result' | 'code' | 'message'> = {}): Probe {
  return { result: 'up', code: 'ok', message: message.slice(0, maxMessageChars), ...facts };
}

/** The probe of a target that does not pass. */
export function failed(
  code: ProbeCode,
  message: string,
  facts: Omit<Probe, 'result' | 'code' | 'message'> = {},
): Probe {
  return { result: 'down', code, message: message.slice(0, maxMessageChars), ...facts };
}

/** The probe of a question that could not be asked. */
export function unasked(code: 'no-quorum' | 'full' | 'error', message: string): Probe {
  return { result: 'unknown', code, message: message.slice(0, maxMessageChars) };
}

const decidedCodes: ReadonlySet<ProbeCode> = new Set(['not-primary', 'not-replica', 'not-master', 'second-primary']);

/**
 * True for a failure that is an answer: the target, or whoever knows it, says that it is not the one wanted. Such answers
 * are facts, not noise: waiting for another one would leave the wrong target in service.
 */
export function isDecided(code: ProbeCode): boolean {
  return decidedCodes.has(code);
}
