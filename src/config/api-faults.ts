import { isLoopback } from './agents-faults.ts';
import type { Path } from './document.ts';
import { showValue } from './fault.ts';
import type { Config } from './schema.ts';

type Say = (path: Path, expected: string, value?: string) => void;

/** What is wrong between the address of the API and those who may use it. */
export function apiFaults({ api }: Config, say: Say): void {
  const { listen, token, tokens } = api;
  if (listen !== undefined && token === undefined && tokens.length === 0 && !isLoopback(listen)) {
    const expected =
      'expected a loopback address, or a token beside it (flat: API_TOKEN): without one anybody could switch';
    say(['api', 'listen'], expected, showValue('listen', listen));
  }
  const names = new Set<string>();
  const secrets = new Map(token === undefined ? [] : [[token.reveal(), 'api.token']]);
  tokens.forEach((one, n) => {
    if (names.has(one.name)) say(['api', 'tokens', n, 'name'], `expected a name of its own: "${one.name}" has one`);
    names.add(one.name);
    const owner = secrets.get(one.token.reveal());
    // Nobody could tell whose it is, and the role of one of them would not count.
    if (owner !== undefined) say(['api', 'tokens', n, 'token'], `expected a token of its own, not that of ${owner}`);
    secrets.set(one.token.reveal(), `"${one.name}"`);
  });
}
