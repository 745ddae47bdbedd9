/** A question of type A and the addresses that have to be in its answer. */
export interface Asked {
  /** Absolute, without the dot at the end. */
  readonly name: string;
  /** IPv4; all of them are expected, in any order. */
  readonly addresses: readonly string[];
}

/** One server to ask. */
export interface LoadTarget {
  readonly port: number;
  /** Processes of the server. */
  readonly pids: readonly number[];
  /** Asked in turn, over and over; all names have one length. */
  readonly questions: readonly Asked[];
  /** An OPT record with each question, for replies of up to 1232 bytes. */
  readonly hasEdns: boolean;
  /**
   * Above 0: the second byte of each address in a reply is a version, from 0 to below this and round again, which never
   * goes back; what is expected has 0 there.
   */
  readonly versions: number;
  /** A process that gets SIGUSR2 before each slice and SIGHUP after it, because it has something to do meanwhile. */
  readonly accomplice?: number;
}

/**
 * What a generator is told to do. In each round every target gets its slices of time, one here, one there in an order
 * drawn anew, so that whatever else happens on the machine strikes all of them alike.
 */
export interface LoadOrder {
  /** An IPv4 address. */
  readonly host: string;
  readonly targets: Readonly<Record<string, LoadTarget>>;
  readonly rounds: number;
  readonly slices: number;
  readonly sliceSeconds: number;
  /** For each target, before all rounds, asked for as much as it can. */
  readonly warmUpSeconds: number;
  /** Undefined: as many as the server takes, with a fixed number outstanding; else so many in a second, evenly. */
  readonly perSecond?: number;
  /** True: gives the processor away while there is nothing to read, because somebody else needs it, too. */
  readonly sleeps: boolean;
}

/** What came of the slices of one target in one round. */
export interface LoadOutcome {
  readonly seconds: number;
  /** Right replies that came in time. */
  readonly answered: number;
  /** Questions that had no reply after half a second. */
  readonly lost: number;
  /** Replies that were wrong, by what was wrong with them. */
  readonly faults: Readonly<Record<string, number>>;
  /** Processor time of the server, over all its processes and threads. */
  readonly serverCpuMs: number;
  /** From the sending of a question to the reading of its reply, in microseconds. */
  readonly latencyUs: { readonly half: number; readonly most: number; readonly mostOfThousand: number };
  /** How often the first, second, ... of the expected addresses stood first in a reply. */
  readonly firsts: readonly number[];
  /** How often another version came. */
  readonly newVersions: number;
}

/** By target, its rounds. */
export type LoadOutcomes = Readonly<Record<string, readonly LoadOutcome[]>>;
