import type { ClusterEvent } from '../../model/event.ts';
import type { ProbeCode } from '../../model/probe.ts';
import type { Panic } from '../../model/snapshot.ts';

/** What was found by a check, as a clause; of those that say something against a target. */
const clauses: Readonly<Record<ProbeCode, string>> = {
  ok: 'it passes',
  timeout: 'no answer in time',
  refused: 'nobody listens on the port',
  unreachable: 'no route to the host',
  dns: 'its name has no address',
  reset: 'the connection broke off',
  tls: 'the certificate or the handshake is not acceptable',
  protocol: 'the answer is not what the protocol allows',
  status: 'an answer with an unexpected code',
  body: 'the expected text is not in the answer',
  redirect: 'a redirect that may not be followed',
  exit: 'the executable says no',
  signal: 'the executable was ended by a signal',
  login: 'user or password are not accepted',
  full: 'it takes no more connections',
  'not-primary': 'it is a replica, and the primary is wanted',
  'not-replica': 'it is a primary, and a replica is wanted',
  'not-master': 'it is not the master that the sentinels agree on',
  'no-quorum': 'no majority of the sentinels agrees on a master',
  'second-primary': 'another primary is newer, or was there first',
  extension: 'the check that was added says no',
  error: 'it could not be asked',
};

/** A code of a check as a clause for people. */
export const clauseOf = (code: ProbeCode): string => clauses[code];

/** How many names a sentence bears. */
const mostNamed = 5;

/** The first few names, and how many there are besides: a thousand of them are no sentence. */
export function someOf(names: readonly string[]): string {
  const rest = names.length - mostNamed;
  return `${names.slice(0, mostNamed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** What a panic serves, as a clause for people. */
export function panicClause({ serves, fallback = [] }: Panic): string {
  switch (serves) {
    case 'last-good':
      return 'those that served last go on';
    case 'all':
      return 'all are served nevertheless';
    case 'first':
      return 'the first is served nevertheless';
    case 'fallback':
      return `${someOf(fallback)} answer instead`;
    case 'none':
      return 'nobody is served';
  }
}

/** A time span for people, in its two largest units: `2 h 5 min`. */
export function spanOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const at = units.findIndex(([size]) => seconds >= size);
  if (at < 0) return '0 s';
  let rest = seconds;
  const parts = units.slice(at, at + 2).flatMap(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${unit}`];
  });
  return parts.join(' ');
}

const placed = ({ target = '', address }: ClusterEvent) =>
  address === undefined || address === target ? target : `${target} (${address})`;
const because = ({ reason }: ClusterEvent) => (reason === undefined ? '' : `: ${reason}`);
const asked = ({ by }: ClusterEvent) => (by === undefined || by === '' ? '' : `, asked for by ${by}`);

/** What happened, as a sentence without the service; names and reasons as they are, so the medium has to escape them. */
export function sentenceOf(event: ClusterEvent): string {
  const { kind, from, target, node } = event;
  switch (kind) {
    case 'target-up':
      return target === undefined
        ? `further targets are up${because(event)}`
        : `${placed(event)} is up${because(event)}`;
    case 'target-down':
      return target === undefined
        ? `further targets are down${because(event)}`
        : `${placed(event)} is down${because(event)}`;
    case 'failover':
      return `failover from ${from} to ${placed(event)}${because(event)}`;
    case 'switchover':
      return `switchover${from === undefined ? '' : ` from ${from}`} to ${placed(event)}${asked(event)}`;
    case 'switching':
      return `switching back from ${from} to ${placed(event)}${because(event)}`;
    case 'switchover-purged':
      return `the switchover to ${target} has ended${because(event)}`;
    case 'service-up':
      return `the service is up${because(event)}`;
    case 'service-down':
      return `the service is DOWN${because(event)}`;
    case 'node-up':
      return `node ${node} is back${because(event)}`;
    case 'node-down':
      return `node ${node} is silent${because(event)}`;
    case 'new-leader':
      return `${node} leads${from === undefined ? '' : `, after ${from}`}${because(event)}`;
  }
}
