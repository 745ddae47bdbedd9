import type { DnsConfig, Endpoint } from './config.ts';
import type { InheritedSocket } from './transport/inherited.ts';

/** What the thread that answers is started with. */
export interface WorkerStart {
  /** With the ports that were really taken, once that is known. */
  readonly config: DnsConfig;
  /** Sockets that the service manager opened (systemd.socket(5)), in place of `config.listen`. */
  readonly inherited: readonly InheritedSocket[];
  /** UDP sockets that the thread before this one had open, and which may hold queries. */
  readonly kept: readonly KeptSocket[];
  /** All compiled chapters: they are installed before an address is taken. */
  readonly chapters: Uint8Array;
}

/** A UDP socket that belongs to the process and not to the thread: the main thread closes it in the end. */
export interface KeptSocket {
  readonly fd: number;
  readonly endpoint: Endpoint;
}

export type ToWorker =
  /** Compiled chapters, see compile.ts; the buffer is handed over. */
  { readonly kind: 'chapters'; readonly bytes: Uint8Array } | { readonly kind: 'stop' };

/** Numbers since the last report. Keys are label values joined by a space, such as `A NOERROR udp`. */
export interface DnsCounts {
  /** By type of question, code of the answer (or `dropped`) and transport. */
  readonly queries: Readonly<Record<string, number>>;
  /** Queries by the time they took, by the `latencyBuckets` of src/telemetry, and one more for all that took longer. */
  readonly latency: readonly number[];
  readonly latencySumSeconds: number;
  /** By `hit`, `miss`, `stale`. */
  readonly cache: Readonly<Record<string, number>>;
  /** Answers that were held back: `dropped`, `truncated`. */
  readonly limited: Readonly<Record<string, number>>;
  /** Questions to other servers: by server and outcome (`answer`, `timeout`, `mismatch`, `error`). */
  readonly upstream: Readonly<Record<string, number>>;
  /** Time of answered questions to other servers: count by bucket, as `latency`. */
  readonly upstreamLatency: readonly number[];
  readonly upstreamSumSeconds: number;
  /** Values of this moment. */
  readonly tcpConnections: number;
  readonly cacheBytes: number;
  readonly names: number;
}

/** Where and how the thread answers. */
export interface Listening {
  readonly kind: 'listening';
  /** `udp 127.0.0.1:8053` and so on, with the ports that were really taken. */
  readonly addresses: readonly string[];
  /** One for each of `config.listen`, or of the inherited UDP sockets. */
  readonly endpoints: readonly Endpoint[];
  readonly transport: 'batch' | 'dgram';
  /** Why it is not `batch`, where that was tried. */
  readonly reason?: string;
  readonly kept: readonly KeptSocket[];
}

export type FromWorker =
  | Listening
  | { readonly kind: 'counts'; readonly counts: DnsCounts }
  /** It cannot go on, such as for an address that is taken; the thread ends. */
  | { readonly kind: 'failed'; readonly message: string };
