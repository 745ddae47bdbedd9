import { showEndpoint } from '../model/endpoint.ts';

/** Where a sentinel says that the master is: an address, or a name where sentinels announce names. */
export interface Named {
  readonly host: string;
  readonly port: number;
}

/** What one configured sentinel said, or why its word does not count. */
export interface SentinelView {
  /** `host:port` of the sentinel. */
  readonly sentinel: string;
  /** Present only when the sentinel also said that it has its quorum. */
  readonly master?: Named;
  /** Why there is no `master`: one short sentence without a subject, such as "did not answer in 400 ms". */
  readonly fault?: string;
  /** The sentinel understood and said no (wrong password, unknown name): asking again cannot help. */
  readonly isRefusal?: boolean;
}

export type Agreement =
  | { readonly kind: 'agreed'; readonly master: Named }
  /** Those that have not answered yet may still make a majority. */
  | { readonly kind: 'open' }
  /** No majority any more; `isRefused` when refusals alone prevent it. */
  | { readonly kind: 'none'; readonly reason: string; readonly isRefused: boolean };

/**
 * A master is agreed when a majority of the *configured* sentinels, not of those that answered, name the same address
 * and port, each with its own quorum (SENTINEL CKQUORUM). A sentinel in a minority keeps naming the old master for as
 * long as it is cut off, so a majority of what happens to answer proves nothing.
 *
 * @param views - What was heard so far, at most one view per sentinel.
 * @param configured - How many sentinels are configured, at least 1.
 */
export function agreeOn(views: readonly SentinelView[], configured: number): Agreement {
  const needed = Math.floor(configured / 2) + 1;
  const voices = new Map<string, { readonly master: Named; count: number }>();
  for (const { master } of views) {
    if (master === undefined) continue;
    const known = voices.get(showEndpoint(master.host, master.port));
    if (known === undefined) voices.set(showEndpoint(master.host, master.port), { master, count: 1 });
    else known.count += 1;
  }
  const ranked = [...voices.values()].sort((one, other) => other.count - one.count);
  const first = ranked[0];
  if (first !== undefined && first.count >= needed) return { kind: 'agreed', master: first.master };
  if ((first?.count ?? 0) + configured - views.length >= needed) return { kind: 'open' };
  const refusals = views.filter(({ isRefusal }) => isRefusal === true).length;
  return { kind: 'none', reason: reasonOf(views, ranked, configured), isRefused: configured - refusals < needed };
}

function reasonOf(
  views: readonly SentinelView[],
  ranked: readonly { readonly master: Named; readonly count: number }[],
  configured: number,
): string {
  const needed = Math.floor(configured / 2) + 1;
  const named =
    ranked.map(({ master, count }) => `${count} for "${showEndpoint(master.host, master.port)}"`).join(', ') || 'none';
  const faults = views.flatMap(({ sentinel, fault }) => (fault === undefined ? [] : [`"${sentinel}" ${fault}`]));
  if (views.length < configured) faults.push(`${configured - views.length} not waited for`);
  const details = faults.length === 0 ? '' : `; ${faults.join('; ')}`;
  return `${named} of ${configured} sentinels, expected ${needed} for one master${details}`;
}
