import { closeSync } from 'node:fs';
import { describeError, HsdoError } from '../../model/error.ts';
import type { Log } from '../../telemetry/log.ts';
import { createBackoff } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { withDeadline } from '../../time/deadline.ts';
import type { DnsConfig, Endpoint } from './config.ts';
import type { DnsCounts, KeptSocket, Listening, WorkerStart } from './protocol.ts';
import { chapterKey } from './records/chapter-key.ts';
import { joinChapters } from './records/compile.ts';
import { startThread, type Thread } from './thread.ts';
import type { InheritedSocket } from './transport/inherited.ts';

/** DNS as the main thread sees it: what is published is answered by a thread of its own. */
export interface DnsThread {
  /** Compiled chapters (compile.ts). They replace those of the same key, and are kept for a thread that has to start anew. */
  publish(parts: readonly Uint8Array[]): void;
  /** `udp 127.0.0.1:8053` and so on, with the ports that were really taken. */
  addresses(): readonly string[];
  /** One for each of `config.listen`, or of the inherited UDP sockets; UDP and TCP have the same. */
  endpoints(): readonly Endpoint[];
  state(): { readonly transport: 'batch' | 'dgram'; readonly reason?: string };
  /** Why nobody is answered at the moment; `undefined` as long as everybody is. */
  failure(): string | undefined;
  /**
   * Until the signal: whenever the thread dies it is started again, with everything that was published.
   * @throws HsdoError `unavailable` when it died and took inherited sockets with it: only the service manager has them.
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface DnsThreadOptions {
  readonly config: DnsConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** In place of `config.listen`, see inherited.ts. */
  readonly inherited?: readonly InheritedSocket[];
  /** Installed before an address is taken. */
  readonly chapters?: readonly Uint8Array[];
  /** Once a second. */
  readonly onCounts: (counts: DnsCounts) => void;
}

/** How long a thread may take to start on a busy machine, and to end. */
const startMs = 60_000;
const stopMs = 3000;
/** One that lived for so long did not die of how it was started. */
const longLifeMs = 60_000;

/** What does not change from one thread to the next, or only by what the last one told. */
function createMemory({ config, inherited = [], chapters = [] }: DnsThreadOptions) {
  const parts = new Map<string, Uint8Array>();
  const keep = (added: readonly Uint8Array[]) => {
    for (const part of added) parts.set(chapterKey(part), part);
  };
  keep(chapters);
  let listen = config.listen;
  let kept: readonly KeptSocket[] = [];
  return {
    keep,
    /** Ports and sockets stay what they are when another thread takes over. */
    learn(listening: Listening) {
      if (inherited.length === 0) listen = [...listening.endpoints];
      const isOurs = (fd: number) => listening.kept.some((socket) => socket.fd === fd);
      // A thread that speaks by Node alone owns what it was given.
      if (listening.transport === 'batch') for (const { fd } of kept) if (!isOurs(fd)) closeQuietly(fd);
      kept = listening.kept;
    },
    start: (): WorkerStart => ({
      config: { ...config, listen },
      inherited,
      kept,
      chapters: joinChapters([...parts.values()]),
    }),
    /** For when no thread has them any more. */
    closeSockets() {
      for (const { fd } of kept) closeQuietly(fd);
      kept = [];
    },
  };
}

type Memory = ReturnType<typeof createMemory>;

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // A thread that spoke by Node has closed it already.
  }
}

async function close(thread: Thread, memory: Memory): Promise<void> {
  thread.send({ kind: 'stop' });
  try {
    await withDeadline('the thread that answers DNS', stopMs, new AbortController().signal, () => thread.ended);
  } catch {
    await thread.terminate();
  }
  memory.closeSockets();
}

/** Why the thread ended; `undefined` when the signal came first. */
async function endOf(thread: Thread, signal: AbortSignal): Promise<string | undefined> {
  const aborted = new AbortController();
  const stopped = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { signal: aborted.signal });
    if (signal.aborted) resolve(undefined);
  });
  try {
    return await Promise.race([thread.ended, stopped]);
  } finally {
    aborted.abort();
  }
}

/** One thread after the other; there is never more than one. */
function createSuccession(options: DnsThreadOptions, start: typeof startThread) {
  const { clock, onCounts } = options;
  const memory = createMemory(options);
  let thread: Thread | undefined;
  let listening: Listening | undefined;
  let startedAt = 0;
  return {
    memory,
    thread: () => thread as Thread,
    listening: () => listening as Listening,
    livedMs: () => clock.monotonic() - startedAt,
    /** Starts one and waits until it answers; one that cannot leaves nothing behind. */
    async open(signal: AbortSignal): Promise<void> {
      const learn = (told: Listening) => {
        listening = told;
        memory.learn(told);
      };
      const next = start(memory.start(), { counts: onCounts, listening: learn });
      // What is published while it starts goes to it.
      thread = next;
      try {
        await withDeadline('the thread that answers DNS', startMs, signal, () => next.listening);
        startedAt = clock.monotonic();
      } catch (error) {
        await next.terminate();
        memory.closeSockets();
        throw error;
      }
    },
  };
}

/**
 * Starts the thread that answers DNS and waits until it does.
 *
 * @throws HsdoError `config` when an address cannot be had, or the transport that is wanted, naming what to do.
 */
export async function startDns(
  options: DnsThreadOptions,
  signal: AbortSignal,
  start: typeof startThread = startThread,
): Promise<DnsThread> {
  const { clock, log, inherited = [] } = options;
  const succession = createSuccession(options, start);
  const { memory } = succession;
  const backoff = createBackoff({ baseMs: 100, maxMs: 10_000 });
  let failure: string | undefined;
  await succession.open(signal);
  tellStart(log, succession.listening());

  async function restart(inner: AbortSignal): Promise<void> {
    if (succession.livedMs() >= longLifeMs) backoff.reset();
    while (failure !== undefined) {
      await clock.sleep(backoff.next(), inner);
      try {
        await succession.open(inner);
        failure = undefined;
      } catch (error) {
        inner.throwIfAborted();
        failure = describeError(error);
        log.error({ reason: failure }, 'the thread that answers DNS does not start');
      }
    }
    tellStart(log, succession.listening());
  }

  async function run(inner: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const reason = await endOf(succession.thread(), inner);
        if (reason === undefined) return;
        failure = `the thread that answers DNS died: ${reason}`;
        log.error({ reason }, 'the thread that answers DNS died');
        // Node closes the sockets that it was given when their thread ends; only the service manager has them now.
        const isLost = inherited.length > 0 && succession.listening().transport === 'dgram';
        if (isLost) throw new HsdoError('unavailable', `${failure}, and the inherited sockets are closed`);
        await restart(inner);
      }
    } catch (error) {
      if (!inner.aborted) throw error;
    } finally {
      await close(succession.thread(), memory);
    }
  }

  return {
    publish(parts) {
      memory.keep(parts);
      const bytes = joinChapters(parts);
      succession.thread().send({ kind: 'chapters', bytes }, [bytes.buffer as ArrayBuffer]);
    },
    addresses: () => succession.listening().addresses,
    endpoints: () => succession.listening().endpoints,
    state: () => stateOf(succession.listening()),
    failure: () => failure,
    run,
  };
}

function stateOf({ transport, reason }: Listening) {
  return reason === undefined ? { transport } : { transport, reason };
}

function tellStart(log: Log, listening: Listening): void {
  log.info({ addresses: listening.addresses, ...stateOf(listening) }, 'answering DNS');
}
