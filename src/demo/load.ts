import { setMaxListeners } from 'node:events';
import { Agent, get } from 'node:http';
import { describeError, HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { pause } from '../time/every.ts';

export interface LoadCount {
  readonly served: number;
  readonly failed: number;
  /** What the first failures were. */
  readonly failures: readonly string[];
}

/** Constant traffic through HAProxy. Nothing is ever tried again: each request counts as served or as failed. */
export interface Load {
  count(): LoadCount;
  /** Ends after the requests that are under way. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  readonly url: string;
  /** Whether an answer of this target is right at this moment. */
  readonly mayServe: (target: string) => boolean;
  readonly clock: Clock;
}

const clients = 12;
const pauseMs = 38;
const timeoutMs = 5000;
const failuresKept = 5;

/** One GET; resolves with the name of the target that answered 200. */
function ask(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, timeout: timeoutMs }, (response) => {
      const target = String(response.headers['x-target'] ?? '');
      const { statusCode } = response;
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        if (statusCode === 200 && target !== '') return resolve(target);
        const by = target === '' ? 'HAProxy itself' : target;
        reject(new HsdoError('unavailable', `${by} answered ${statusCode ?? 'nothing'}; expected 200`));
      });
    });
    request.once('timeout', () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    request.once('error', reject);
  });
}

/** Starts about 300 requests a second: half of the clients keep their connection, half open one for each request. */
export function startLoad({ url, mayServe, clock }: LoadOptions): Load {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const agents: Agent[] = [];
  const failures: string[] = [];
  let [served, failed] = [0, 0];

  async function client(agent: Agent): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const target = await ask(url, agent);
        if (!mayServe(target)) throw new HsdoError('rejected', `${target} answered; it should not get requests now`);
        served += 1;
      } catch (error) {
        failed += 1;
        if (failures.length < failuresKept) failures.push(describeError(error));
      }
      await pause(clock, pauseMs, undefined, stopping.signal);
    }
  }

  const running = Array.from({ length: clients }, (_, n) => {
    const agent = new Agent(n % 2 === 0 ? { keepAlive: true, maxSockets: 1 } : { keepAlive: false });
    agents.push(agent);
    return client(agent);
  });
  return {
    count: () => ({ served, failed, failures: [...failures] }),
    async stop() {
      stopping.abort();
      await Promise.all(running);
      for (const agent of agents) agent.destroy();
    },
  };
}
