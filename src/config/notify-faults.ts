import type { Path } from './document.ts';
import { showValue } from './fault.ts';
import type { Config } from './schema.ts';

type Say = (path: Path, expected: string, value?: string) => void;

/** Every scope's first record names all notifiers, in one commit. */
const mostNotifiers = 20;

/** What is wrong between notifiers, services and the store. */
export function notifyFaults({ notify, services, store }: Config, say: Say): void {
  const known = services.map(({ name }) => name);
  notify.forEach((notifier, n) => {
    const { name } = notifier;
    const isTaken = notify.findIndex((other) => other.name === name) < n;
    if (isTaken) say(['notify', n, 'name'], 'expected a name of its own', showValue('name', name));
    for (const [at, service] of (notifier.services ?? []).entries()) {
      if (known.includes(service)) continue;
      say(['notify', n, 'services', at], `expected one of ${known.join(', ')}`, showValue('service', service));
    }
    if (notifier.kind !== 'email') return;
    const { username, password } = notifier.smtp;
    if ((username === undefined) === (password === undefined)) return;
    const missing = username === undefined ? 'username' : 'password';
    say(['notify', n, 'smtp', missing], 'missing: a login has a name and a password');
  });
  if (notify.length > mostNotifiers) say(['notify'], `expected at most ${mostNotifiers} notifiers`);
  if (notify.length === 0 || store.kind !== 'dynamodb' || store.table !== undefined) return;
  const wanted = "events need a second table beside HSDO's (flat: DYNAMODB_STORE_TABLE_NAME)";
  say(['store', 'table'], `missing: notify is set, and ${wanted}`);
}
