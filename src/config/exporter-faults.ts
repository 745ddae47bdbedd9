import type { Path } from './document.ts';
import type { Config } from './schema.ts';

/** Whoever gathers metrics keeps the token in a file of his; one that switches has no business there. */
export function exporterFaults({ exporter, api }: Config, say: (path: Path, expected: string) => void): void {
  const own = exporter.token?.reveal();
  if (own === undefined) return;
  const path: Path = ['exporter', 'token'];
  const wanted = 'expected a token of its own: whoever reads metrics could switch by that of';
  if (api.token?.reveal() === own) say(path, `${wanted} api.token (flat: API_TOKEN)`);
  for (const { name, role, token } of api.tokens) {
    if (role === 'operate' && token.reveal() === own) say(path, `${wanted} "${name}"`);
  }
}
