import { createChains, type Linked } from './chains.ts';
import type { Due } from './due-list.ts';
import type { Question } from './match.ts';
import type { Reply } from './reply.ts';
import type { Upstream } from './upstream.ts';

/** Who waits for an answer. */
export interface Client {
  readonly question: Question;
  readonly limitBytes: number;
  readonly done: (reply: Uint8Array | undefined) => void;
}

/** One question to the servers, for all clients that have it. */
export interface Job extends Due, Linked<Job> {
  readonly question: Question;
  /** The servers in the order in which they are asked, again and again. */
  readonly order: readonly Upstream[];
  tries: number;
  clients: Client[];
  /** What is said when nobody says anything better. */
  last: Reply | undefined;
  /** True once clients were given what had run out. */
  isLate: boolean;
}

/** `order` is that of the servers now. */
export function createJob(client: Client, order: readonly Upstream[]): Job {
  const { question } = client;
  return {
    question,
    order,
    tries: 0,
    clients: [client],
    last: undefined,
    isLate: false,
    hash: question.hash,
    next: undefined,
    dueAt: 0,
    before: undefined,
    after: undefined,
    isWaiting: false,
  };
}

/** What is asked at the moment. */
export interface Jobs {
  find(question: Question): Job | undefined;
  add(job: Job): void;
  remove(job: Job): void;
  clear(): void;
}

export function createJobs(): Jobs {
  const { first, add, remove, clear } = createChains<Job>();
  return {
    find({ hash, key }) {
      let job = first(hash);
      while (job !== undefined && job.question.key !== key) job = job.next;
      return job;
    },
    add,
    remove,
    clear,
  };
}
