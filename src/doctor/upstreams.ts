import { Resolver } from 'node:dns/promises';
import type { Config } from '../config/schema.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

/** Name servers to which questions are forwarded, each asked for the root's name servers. */
export function upstreamExaminations({ dns }: Config): readonly Examination[] {
  const forward = dns?.forward;
  return (forward?.to ?? []).map(({ host, port }) => {
    const server = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const about = `DNS upstream ${server}`;
    return {
      about,
      remedy: 'name another server in dns.forward.to',
      look: async () => [await upstreamFinding(about, server, (forward?.timeoutSeconds ?? 1) * 1000)],
    };
  });
}

async function upstreamFinding(about: string, server: string, timeoutMs: number): Promise<Finding> {
  const resolver = new Resolver({ timeout: Math.min(timeoutMs, 2000), tries: 2 });
  resolver.setServers([server]);
  try {
    await resolver.resolveNs('.');
    return ok(about, 'answers');
  } catch (error) {
    const { code } = error as { readonly code?: string };
    // Any answer is one: not all servers tell of the root.
    if (code === 'ENOTFOUND' || code === 'ENODATA' || code === 'ESERVFAIL' || code === 'ENOTIMP')
      return ok(about, `answers (${code})`);
    if (code === 'EREFUSED') {
      return warning(
        about,
        'refuses to answer us',
        'allow the address of this machine there, or name another server in dns.forward.to',
      );
    }
    const says =
      code === 'ETIMEOUT' ? `did not answer in ${timeoutMs} ms` : `cannot be asked: ${code ?? String(error)}`;
    return fault(about, says, 'start it, let UDP to it through, or name another server in dns.forward.to');
  }
}
