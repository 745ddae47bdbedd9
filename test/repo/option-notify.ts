import { configSchema } from '../../src/config/schema.ts';
import { notifierSchema } from '../../src/deliver/notify/notifiers.ts';
import { commonOptions } from '../../src/deliver/notify/options.ts';
import { meaningIn, shown, table } from './option-tables.ts';

type Tree = Readonly<Record<string, unknown>>;

/** What each option of a notifier means, in the words of docs/notifications.md. */
const meanings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  every: {
    name: 'what logs, metrics and the store call it; another one for each',
    services: 'tells of these alone, and of the cluster; else of all',
    kinds: 'tells of these events alone',
    groupSeconds: 'what happens to one service within this time is told together',
    maxPerHour: 'notices in any hour; what is above that is told together later',
    remindMinutes: 'how often it is said again that a service is down; 0: never',
    maxReminders: 'and how many times at most',
    timeoutSeconds: 'the longest that one attempt may take',
  },
  email: {
    'smtp.server': 'name or address of the mail server',
    'smtp.port': '465 with ssl, 587 with starttls, else 25',
    'smtp.security': 'ssl, starttls or none; else STARTTLS where it is offered, and demanded where a password is sent',
    'smtp.username': 'for the login',
    'smtp.password': 'for the login; a secret',
    'smtp.ca': "PEM file of the authorities to believe instead of the system's",
    'smtp.ignoreTlsErrors': 'believes every certificate',
    from: 'address of the sender, also as `hsdo <hsdo@example.org>`',
    to: 'one address, or a list',
  },
  telegram: {
    token: 'of the bot, from @BotFather; a secret',
    joinCode: 'what a chat says to be told: `/start CODE`; a secret',
    baseUrl: 'of the Bot API',
    pollSeconds: 'how long one question for news waits',
  },
  webhook: {
    url: 'where notices are posted; a secret as a whole',
    format: 'generic (the whole notice as JSON), slack, mattermost or teams',
    headers: 'name: value; the values are secrets',
    secret: 'signs what is sent in the generic format',
  },
  module: {
    path: 'a file of yours that exports `createNotifier`',
    options: 'what it is given',
  },
  process: {
    'cluster.name': 'stands in every notice',
    'heartbeatPing.url': 'what the leader asks while all is in order, by GET; a secret as a whole',
    'heartbeatPing.intervalSeconds': 'how often',
    'heartbeatPing.timeoutSeconds': 'the longest that it may take',
  },
};

/** What each kind cannot do without. */
const needed: Readonly<Record<string, Tree>> = {
  email: { smtp: { server: 'mail' }, from: 'a@b', to: 'a@b' },
  telegram: { token: '42:abcdefgh', joinCode: 'code' },
  webhook: { url: 'http://a/' },
  module: { name: 'own', path: 'a.ts' },
};

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('reveal' in value);

/** Every option of one kind beside those that all have, in the order of its schema. */
function ownRows(schema: (typeof notifierSchema.options)[number]): readonly (readonly string[])[] {
  const kind = schema.shape.kind.value;
  const given: Tree = needed[kind] ?? {};
  const parsed: Tree = schema.parse({ kind, ...given });
  const names = Object.keys(schema.shape).filter(
    (name) => !['kind', 'name', ...Object.keys(commonOptions)].includes(name),
  );
  return names.flatMap((name) => {
    const inner =
      kind === 'email' && name === 'smtp' ? Object.keys(notifierSchema.options[0].shape.smtp.shape) : undefined;
    if (inner === undefined)
      return [[kind, `\`${name}\``, name in given ? 'required' : shown(parsed[name]), meaningIn(meanings[kind], name)]];
    return inner.map((part) => {
      const value = isTree(parsed[name]) ? shown(parsed[name][part]) : '';
      const path = `${name}.${part}`;
      return [kind, `\`${path}\``, part === 'server' ? 'required' : value, meaningIn(meanings[kind], path)];
    });
  });
}

/** The options of all notifiers, those of each kind, and what belongs to the process. */
export function notifyTable(): string {
  const parsed: Tree = notifierSchema.parse({ kind: 'webhook', ...needed['webhook'] });
  const common = ['name', ...Object.keys(commonOptions)].map((name) => {
    const usual = name === 'name' ? '`email-anon`, `telegram-anon`, `webhook-anon`' : shown(parsed[name]);
    return ['every', `\`${name}\``, usual, meaningIn(meanings['every'], name)];
  });
  const ping: Tree = configSchema.shape.heartbeatPing.parse({ url: 'http://a/' }) ?? {};
  const cluster: Tree = configSchema.shape.cluster.parse({ nodeId: 'one' });
  const process = [
    ['', '`cluster.name`', shown(cluster['name']), meaningIn(meanings['process'], 'cluster.name')],
    ...Object.entries(ping).map(([name, value]) => {
      const path = `heartbeatPing.${name}`;
      return ['', `\`${path}\``, name === 'url' ? 'required' : shown(value), meaningIn(meanings['process'], path)];
    }),
  ];
  return table(
    ['notifier', 'option', 'default', 'meaning'],
    [...common, ...notifierSchema.options.flatMap(ownRows), ...process],
  );
}
