import { commonOptions } from '../../src/deliver/switch/options.ts';
import { switcherSchema } from '../../src/deliver/switch/switchers.ts';
import { meaningIn, shown, table } from './option-tables.ts';

/** What each option of a switcher means, in the words of docs/switching.md. */
const meanings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  every: {
    reconcileSeconds: 'how often the outside is read back while it says what it should',
    delaySeconds:
      'after a switch the next automatic one to another target waits so long; not one that an operator asks for, nor a repair',
    timeoutSeconds: 'the longest that one reading or one switch may take',
  },
  cloudflare: {
    apiToken: 'with the permission "Zone.DNS: Edit" for the zone; a secret',
    zone: 'name of the zone',
    record: 'the name that points at the active target; else the `domain` of the service',
    proxied: 'whether Cloudflare stands between clients and target; only then a switch reaches everybody at once',
    ttlSeconds: 'of a record that is not proxied: `auto`, or 30 to 86400',
    baseUrl: 'another place of the same API; http only on this machine',
  },
  exec: {
    init: 'an executable that prints the name or the address that is in use; run once by each new leader',
    current: 'one that can tell so at any time; run for each reading, in place of `init`',
    switch: 'the executable that switches; it gets the name and the address as its last arguments, and 0 means done',
    args: 'arguments before those two; nothing goes through a shell',
    env: 'environment of all three beside PATH, HOME, LANG and HSDO_SERVICE, _DOMAIN, _NAME, _ADDRESS, _PORT; the values are secrets',
  },
  'google-cloud': {
    project: 'id of the project',
    metadataKey: 'the key of its metadata; all others are kept',
    value: 'what stands there: the address of the target, or its `name`',
    credentialsPath: 'key file of a service account; else the credentials of the machine',
    baseUrl: 'another place of the same API; http only on this machine',
  },
  module: {
    path: 'a file of your own, see [Your own kinds](your-own-kinds.md)',
    options: 'what it is given',
  },
};

/** What each kind cannot do without. */
const needed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cloudflare: { apiToken: 'token', zone: 'example.org' },
  exec: { switch: './switch.sh' },
  'google-cloud': { project: 'my-project', metadataKey: 'active' },
  module: { path: './my-switcher.ts' },
};

/** Options that all switchers have, then those of each kind. */
export function switchTable(): string {
  const common = Object.keys(commonOptions);
  const rows = switcherSchema.options.flatMap((schema, place) => {
    const kind = schema.shape.kind.value;
    const required = needed[kind] ?? {};
    const values: Readonly<Record<string, unknown>> = schema.parse({ kind, ...required });
    const row = (owner: string, of: string) => (name: string) => [
      owner,
      `\`${name}\``,
      name in required ? 'required' : shown(values[name]),
      meaningIn(meanings[of], name),
    ];
    const own = Object.keys(schema.shape).filter((name) => name !== 'kind' && !common.includes(name));
    return [...(place === 0 ? common.map(row('every', 'every')) : []), ...own.map(row(kind, kind))];
  });
  return table(['switch', 'option', 'default', 'meaning'], rows);
}
