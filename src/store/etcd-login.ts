import { z } from 'zod';
import type { Secret } from '../model/secret.ts';
import { withDeadline } from '../time/deadline.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import { postTo, type Question, readWhole } from './etcd-exchange.ts';
import { failureOf, isAuthOff, refusalIn } from './etcd-failure.ts';

/** Who logs in, and where the entries lie. */
export interface EtcdAccess {
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly prefix: string;
  /** Limit of one request to one endpoint. */
  readonly requestTimeoutMs: number;
}

/** The token that every question bears where etcd asks for logins. */
export interface EtcdLogin {
  /** Undefined where no user is configured or etcd asks for none. */
  token(endpoint: Endpoint, signal: AbortSignal): Promise<string | undefined>;
  /** Lets the next question log in anew, unless another one has done so already. False where nobody logs in. */
  forget(token: string | undefined): boolean;
}

export const nameOf = (endpoint: Endpoint): string => `etcd at "${endpoint.origin}"`;

const answerSchema = z.object({ token: z.string().min(1) });

interface Held {
  readonly token: string | undefined;
}

/** Everybody who needs a token waits for the same login: etcd spends a tenth of a second on each. */
export function createEtcdLogin(endpoints: Endpoints, access: EtcdAccess): EtcdLogin {
  const { username, requestTimeoutMs } = access;
  let held: Held | undefined;
  let running: Promise<Held> | undefined;

  const keep = async (login: Promise<Held>): Promise<Held> => {
    try {
      held = await login;
      return held;
    } finally {
      running = undefined;
    }
  };
  return {
    async token(endpoint, signal) {
      if (username === undefined || held !== undefined) return held?.token;
      running ??= keep(logIn(endpoints, endpoint, access, username));
      const login = running;
      // Whoever waits hears of it; when all have given up, nobody need.
      login.catch(() => {});
      const { token } = await withDeadline(`The login at ${nameOf(endpoint)}`, requestTimeoutMs, signal, () => login);
      return token;
    },
    forget(token) {
      if (held?.token === token) held = undefined;
      return username !== undefined;
    },
  };
}

async function logIn(endpoints: Endpoints, endpoint: Endpoint, access: EtcdAccess, name: string): Promise<Held> {
  const body = { name, password: access.password?.reveal() ?? '' };
  const question: Question = { path: '/v3/auth/authenticate', body };
  const { signal } = new AbortController();
  const answer = await withDeadline(nameOf(endpoint), access.requestTimeoutMs, signal, async (inner) =>
    readWhole(await postTo(endpoints, endpoint, question, { mayBeDone: false }, inner)),
  );
  if (answer.status === 200) return answerSchema.parse(JSON.parse(answer.text));
  const refusal = refusalIn(answer);
  // As etcd's own clients do: a login that nobody asks for is no fault, and may be asked for later.
  if (isAuthOff(refusal)) return { token: undefined };
  throw failureOf(refusal, { ...access, origin: endpoint.origin });
}
