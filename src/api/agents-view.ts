import type { AgentReport, DomainDetail, DomainStatus, Task } from '../agent/wire.ts';
import type { Secret } from '../model/secret.ts';

/** A service that agents check, as its configuration has it. */
export interface AgentService {
  readonly name: string;
  /** The name under which agents know it, in lower case. */
  readonly domain: string;
  /** What opens it; without one whoever reaches the listener is let in. */
  readonly token?: Secret | undefined;
  /** Agents with one of these are given its tasks; empty: every agent. */
  readonly tags: readonly string[];
}

/** What became of a report: `late` says nothing new, and is no fault. */
export type Taken =
  | { readonly outcome: 'accepted' | 'late' }
  | {
      readonly outcome: 'unknown-target' | 'untimely' | 'impostor' | 'stranger' | 'too-many' | 'not-ready';
      readonly code: 403 | 422 | 429 | 503;
      /** One sentence: what is wrong, and what was expected. */
      readonly error: string;
    };

/** All that the API for agents knows of the process around it. Services are those of the configuration. */
export interface AgentsView {
  readonly services: readonly AgentService[];
  /** One for each target of the service; `undefined` while the sources were not read yet, which is not "none". */
  tasks(service: AgentService): readonly Task[] | undefined;
  /** Takes a report in whose domain is the service's. */
  take(service: AgentService, report: AgentReport): Promise<Taken>;
  status(service: AgentService): Promise<DomainStatus>;
  detail(service: AgentService): Promise<DomainDetail>;
}
