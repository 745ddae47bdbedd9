import { showEndpoint } from '../model/endpoint.ts';
import type { Named, SentinelView } from './agreement.ts';

/** One answer of Redis: a value, or the text of an error reply such as `NOAUTH Authentication required.`. */
export type Reply = { readonly value: unknown } | { readonly refusal: string };

const longest = 120;

/** Text of a stranger as one short line that is safe everywhere. */
export function printable(text: string): string {
  const line = text.slice(0, longest + 1).replace(/[^\x20-\x7e]/g, '?');
  return line.length > longest ? `${line.slice(0, longest - 3)}...` : line;
}

/** Error replies that speak of who is asking: repeating the question cannot help (Redis manual, ACL). */
export function isLoginRefusal(refusal: string): boolean {
  return /^(NOAUTH|WRONGPASS|NOPERM|DENIED)\b|\bAUTH\b|invalid password|no password/.test(refusal);
}

/**
 * What a sentinel's answers to SENTINEL GET-MASTER-ADDR-BY-NAME and SENTINEL CKQUORUM amount to (Redis manual, High
 * availability with Redis Sentinel). Anything that is not exactly an address with a quorum is a fault.
 */
export function readView(sentinel: string, masterName: string, address: Reply, quorum: Reply): SentinelView {
  if ('refusal' in address) return refused(sentinel, address.refusal);
  const master = readMaster(address.value);
  if (master === undefined) {
    if (address.value === null) return { sentinel, fault: `knows no master "${masterName}"`, isRefusal: true };
    return { sentinel, fault: 'gave something that is no address with a port' };
  }
  if ('refusal' in quorum) {
    if (isLoginRefusal(quorum.refusal)) return refused(sentinel, quorum.refusal);
    return {
      sentinel,
      fault: `names "${showEndpoint(master.host, master.port)}" without a quorum: ${printable(quorum.refusal)}`,
    };
  }
  // "OK 3 usable Sentinels. Quorum and failover authorization can be reached"
  if (typeof quorum.value === 'string' && /^OK\b/.test(quorum.value)) return { sentinel, master };
  return { sentinel, fault: 'did not say whether it has its quorum' };
}

function refused(sentinel: string, refusal: string): SentinelView {
  // A Redis that is no sentinel knows no such command, and will not learn it.
  const isRefusal = isLoginRefusal(refusal) || /unknown command/i.test(refusal);
  return { sentinel, fault: `said ${printable(refusal)}`, isRefusal };
}

function readMaster(value: unknown): Named | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [host, port] = value as readonly unknown[];
  if (typeof host !== 'string' || !/^[A-Za-z0-9_.:-]{1,253}$/.test(host)) return undefined;
  if (typeof port !== 'string' || !/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

/**
 * What a Redis says of itself in answer to ROLE: `master` or another word (`slave`, `sentinel`); undefined when the
 * answer has not the form of one (Redis manual, ROLE).
 */
export function readRole(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const [role] = value as readonly unknown[];
  return typeof role === 'string' && /^[a-z]{1,20}$/.test(role) ? role : undefined;
}
