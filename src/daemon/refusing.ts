import type { View } from '../api/view.ts';
import { HsdoError } from '../model/error.ts';

/** What only a server can be asked: commands, and what lies in the store beside the lists. */
type OfServers = Pick<
  View,
  | 'nodes'
  | 'events'
  | 'audit'
  | 'decommission'
  | 'releaseHold'
  | 'forgetPrimary'
  | 'override'
  | 'switchover'
  | 'maintain'
  | 'purge'
>;

/**
 * The answers of a process that is no server to what only one can do.
 *
 * @param what - What it is instead, such as `is a client only`.
 */
export function refusing(what: string): OfServers {
  const refuse = async () => {
    throw new HsdoError('rejected', `Cannot take a request: this process ${what}; ask the API of a server`);
  };
  return {
    nodes: refuse,
    events: refuse,
    audit: refuse,
    decommission: refuse,
    releaseHold: refuse,
    forgetPrimary: refuse,
    override: refuse,
    switchover: refuse,
    maintain: refuse,
    purge: refuse,
  };
}
