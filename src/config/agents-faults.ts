import { isSecret } from '../model/secret.ts';
import { agentDomainOf } from './agents.ts';
import type { Path } from './document.ts';
import { showValue } from './fault.ts';
import type { Config, ServiceConfig } from './schema.ts';

type Say = (path: Path, expected: string, value?: string) => void;

const loopback = /^(off$|127(\.\d{1,3}){3}:|localhost:|\[::1\]:)/;

/** True for an address that only this machine reaches, and for `off`. */
export const isLoopback = (listen: string): boolean => loopback.test(listen);

/** What is wrong between the services' `agents`, their checks and the listener for agents. */
export function agentsFaults({ services, dns, api, cluster }: Config, say: Say): void {
  const { listen } = api.agents;
  const isOpen = !isLoopback(listen);
  const owners = new Map<string, string>();
  services.forEach((service, n) => {
    const { agents, check } = service;
    if (agents === undefined) return;
    const path: Path = ['services', n, 'agents'];
    if (check === undefined) say(path, 'expected check beside it: agents run the check of the service');
    if (check?.kind === 'module') {
      say(
        path,
        'expected a check of another kind: the file of a module is on this machine, and its options are not handed out',
      );
    }
    const place = check === undefined ? undefined : secretIn(check);
    if (place !== undefined) {
      say(path, `expected a check without secrets, which are never handed out: check.${place} is one`);
    }
    const intervalSeconds = agents.intervalSeconds ?? check?.intervalSeconds ?? 0;
    if (agents.freshSeconds <= intervalSeconds) {
      const expected = `expected more than the ${intervalSeconds} s from one report to the next`;
      say([...path, 'freshSeconds'], expected, showValue('freshSeconds', agents.freshSeconds));
    }
    if (isOpen && agents.token === undefined) {
      say([...path, 'token'], `missing: agents are listened for at ${listen}, where anybody could report`);
    }
    if (agents.only && listen === 'off') {
      say([...path, 'only'], 'expected api.agents.listen beside it: nobody else checks this service', 'true');
    }
    if (agents.ids?.includes(cluster.nodeId)) {
      say([...path, 'ids'], `expected names of agents: "${cluster.nodeId}" is this server`);
    }
    const domain = agentDomainOf(service, dns);
    const owner = owners.get(domain);
    if (owner === undefined) owners.set(domain, service.name);
    else say(domainPath(service, n), `expected a domain of its own: agents know service "${owner}" by ${domain}`);
  });
  if (listen !== 'off' && owners.size === 0) {
    const expected = 'expected a service with agents, such as agents: {token: ..., tags: [...]}: nobody could report';
    say(['api', 'agents', 'listen'], expected, showValue('listen', listen));
  }
}

const domainPath = ({ domain }: ServiceConfig, n: number): Path => [
  'services',
  n,
  domain === undefined ? 'name' : 'domain',
];

/** Where a secret stands in a parsed check, as `headers.Cookie`; `undefined` where none does. */
export function secretIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (isSecret(inner)) return key;
    const below = secretIn(inner);
    if (below !== undefined) return `${key}.${below}`;
  }
  return undefined;
}
