import { timingSafeEqual } from 'node:crypto';
import { digest } from './access.ts';
import type { AgentService } from './agents-view.ts';

/** What a key opens, or why it opens nothing. */
export type Grant =
  | { readonly services: ReadonlySet<AgentService> /** Some of them are open to all. */; readonly isOpen: boolean }
  | { readonly refusal: string };

/**
 * Which services a key opens. A key is compared with the tokens of all services, whichever it opens, in a time that tells
 * nothing about them. A service without a token is open to whoever sends none; where no service has one, to everybody,
 * since PyFailoverDNS's agents always send something.
 */
export function createGrants(services: readonly AgentService[]): (key: string | undefined) => Grant {
  const locks = services.flatMap((service) =>
    service.token === undefined ? [] : [{ service, digest: digest(service.token.reveal()) }],
  );
  const open = services.filter(({ token }) => token === undefined);
  return (key) => {
    if (key === undefined || locks.length === 0) {
      if (open.length > 0) return { services: new Set(open), isOpen: true };
      return { refusal: 'expected a token in the header X-API-Key' };
    }
    const sent = digest(key);
    const matches = locks.map((lock) => ({ service: lock.service, isMatch: timingSafeEqual(sent, lock.digest) }));
    const opened = matches.filter(({ isMatch }) => isMatch).map(({ service }) => service);
    if (opened.length > 0) return { services: new Set(opened), isOpen: false };
    return { refusal: 'the token in the header X-API-Key is not the one of any service' };
  };
}
