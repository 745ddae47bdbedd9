import type { Clock } from '../../../time/clock.ts';
import { responseCodes } from '../answer/wire.ts';
import type { ForwardConfig } from '../config.ts';
import { createNetworkMatcher } from '../network.ts';
import type { Libc } from '../transport/libc.ts';
import { createCache, type Kept } from './cache.ts';
import { createChance } from './chance.ts';
import { createDueList } from './due-list.ts';
import { type Client, createJob, createJobs, type Job } from './jobs.ts';
import { readQuestion } from './match.ts';
import { createBatchPorts } from './port-batch.ts';
import { openDgramPort } from './port-dgram.ts';
import type { OpenPort } from './port-socket.ts';
import { type Age, fresh, renderCode, renderReply } from './render.ts';
import type { Reply } from './reply.ts';
import { createUpstream, type Upstream, type UpstreamOutcome } from './upstream.ts';

/** How one of the servers is, for views. */
export interface UpstreamStatus {
  /** `127.0.0.1:53` or `[::1]:53`. */
  readonly server: string;
  readonly isUp: boolean;
  /** Questions in a row that it did not answer. */
  readonly failures: number;
  /** Questions that wait for it. */
  readonly waiting: number;
}

/** Asks other servers what hsdo does not answer itself. */
export interface Forwarder {
  /**
   * Answers a question of a client: from the cache, at once, or from a server, later. `query` is the callee's from now
   * on. `limitBytes` is what the transport takes, maxUdpReplyBytes or 65535; over UDP the client's EDNS limits it
   * further. `done` is called once with a reply of its own, which has the client's id and spelling, RA, and OPT if the
   * client sent one; with `undefined` when SERVFAIL is to be said; not at all after `close`.
   */
  ask(query: Uint8Array, limitBytes: number, done: (reply: Uint8Array | undefined) => void): void;
  /** True for those who may ask; four or sixteen bytes. */
  mayAsk(address: Uint8Array): boolean;
  status(): readonly UpstreamStatus[];
  /** About what the cache takes. */
  cacheBytes(): number;
  close(): void;
}

interface ForwarderOptions {
  readonly config: ForwardConfig;
  readonly clock: Clock;
  /** The quick way to send packets; absent: Node's. */
  readonly libc?: Libc | undefined;
  /** One packet to a server, or one that came from there and answered nothing (`mismatch`). */
  onUpstream(server: string, outcome: UpstreamOutcome, seconds: number): void;
  /** Once for each question, `hit` or `miss`, and `stale` besides when an answer was given that had run out. */
  onCache(outcome: 'hit' | 'miss' | 'stale'): void;
}

/** For how long clients wait before they get what has run out, and its TTL (RFC 8767 section 5). */
const patienceMs = 1800;
const staleAge: Age = { ttlSeconds: 30 };

/** Codes that end a question; with any other the next server is asked. YXDOMAIN is said of a DNAME (RFC 6672). */
const finalCodes: ReadonlySet<number> = new Set([
  responseCodes.NOERROR,
  responseCodes.NXDOMAIN,
  responseCodes.YXDOMAIN,
]);

/**
 * The servers are asked in the order of the configuration, one after the other, those that are up before those that are
 * not: the first that is up gets every question. One that is not up is tried with a copy of a client's question now and
 * then, so that no client waits for it. Equal questions in flight are asked once. What nobody could answer is answered
 * likewise for one second (RFC 9520), and by what has run out where that is allowed.
 */
export function createForwarder(options: ForwarderOptions): Forwarder {
  const { config, clock } = options;
  const cache = config.cache.maxBytes > 0 ? createCache(config.cache) : undefined;
  const means = { clock, chance: createChance(), openPort: portsBy(options.libc) };
  const upstreams = config.to.map((endpoint) => {
    const upstream: Upstream = createUpstream({
      ...means,
      endpoint,
      timeoutMs: config.timeoutSeconds * 1000,
      onOutcome: (outcome, seconds) => options.onUpstream(upstream.server, outcome, seconds),
      onHealth: sort,
    });
    return upstream;
  });
  const jobs = createJobs();
  const impatient = createDueList<Job>(clock, patienceMs, giveUpWaiting);
  let order: readonly Upstream[] = upstreams;
  let waiting = 0;
  let isClosed = false;

  function sort(): void {
    const [up, down] = [true, false].map((isUp) => upstreams.filter(({ health }) => health.isUp() === isUp));
    order = [...(up ?? []), ...(down ?? [])];
  }

  function giveStale(client: Client, kept: Kept): void {
    options.onCache('stale');
    client.done(renderReply(client.question, kept.reply, staleAge, client.limitBytes));
  }

  function start(client: Client, kept: Kept | undefined, now: number): void {
    const { question } = client;
    const job = createJob(client, order);
    jobs.add(job);
    if (kept !== undefined) impatient.add(job, now);
    for (const upstream of order) {
      if (upstream !== order[0] && upstream.health.takeTrial(now)) upstream.ask(question, now, () => {});
    }
    askNext(job, now);
  }

  function askNext(job: Job, now: number): void {
    const upstream = job.order[job.tries % job.order.length] as Upstream;
    job.tries += 1;
    upstream.ask(job.question, now, (reply) => {
      if (reply !== undefined && finalCodes.has(reply.code)) return finish(job, reply);
      job.last = reply ?? job.last;
      if (job.tries < config.tries) askNext(job, clock.monotonic());
      else fail(job);
    });
  }

  function clientsOf(job: Job): readonly Client[] {
    const { clients } = job;
    job.clients = [];
    waiting -= clients.length;
    return clients;
  }

  function end(job: Job): readonly Client[] {
    jobs.remove(job);
    impatient.remove(job);
    return clientsOf(job);
  }

  function finish(job: Job, reply: Reply): void {
    cache?.keep(job.question.key, reply, clock.monotonic());
    for (const { question, limitBytes, done } of end(job)) done(renderReply(question, reply, fresh, limitBytes));
  }

  function fail(job: Job): void {
    const now = clock.monotonic();
    const { last } = job;
    const said = last !== undefined && last.code < 16 ? last : undefined;
    cache?.keepFailure(job.question.key, said?.code ?? responseCodes.SERVFAIL, now);
    const kept = cache?.find(job.question.key, now);
    for (const client of end(job)) {
      if (kept !== undefined) giveStale(client, kept);
      else client.done(said && renderReply(client.question, said, fresh, client.limitBytes));
    }
  }

  function giveUpWaiting(job: Job): void {
    const kept = cache?.find(job.question.key, clock.monotonic());
    if (kept === undefined) return;
    job.isLate = true;
    for (const client of clientsOf(job)) giveStale(client, kept);
  }

  /** Answers from what is known; false when the servers have to be asked. */
  function answer(client: Client, kept: Kept | undefined, now: number): boolean {
    const { question, limitBytes, done } = client;
    if (kept?.isFresh) {
      options.onCache('hit');
      done(renderReply(question, kept.reply, { seconds: Math.floor((now - kept.learnedAt) / 1000) }, limitBytes));
      return true;
    }
    const failure = cache?.findFailure(question.key, now);
    if (cache !== undefined) options.onCache(failure === undefined || kept !== undefined ? 'miss' : 'hit');
    if (failure === undefined) return false;
    if (kept !== undefined) giveStale(client, kept);
    else done(renderCode(question, failure));
    return true;
  }

  return {
    ask(query, limitBytes, done) {
      if (isClosed) return;
      const question = readQuestion(query);
      if (question === undefined) return done(undefined);
      const now = clock.monotonic();
      const kept = cache?.find(question.key, now);
      const client = { question, limitBytes, done };
      if (answer(client, kept, now)) return;
      const job = jobs.find(question);
      if (kept !== undefined && (job?.isLate === true || waiting >= config.maxPending)) return giveStale(client, kept);
      if (waiting >= config.maxPending) return done(undefined);
      waiting += 1;
      if (job === undefined) start(client, kept, now);
      else job.clients.push(client);
    },
    mayAsk: createNetworkMatcher(config.allow),
    status: () =>
      upstreams.map(({ server, health, waiting: questions }) => ({
        server,
        isUp: health.isUp(),
        failures: health.failures(),
        waiting: questions(),
      })),
    cacheBytes: () => cache?.bytes() ?? 0,
    close() {
      isClosed = true;
      impatient.close();
      jobs.clear();
      for (const upstream of upstreams) upstream.close();
    },
  };
}

function portsBy(libc: Libc | undefined): OpenPort {
  return libc === undefined ? openDgramPort : createBatchPorts(libc);
}
