import { agentSchema } from '../../src/agent/config.ts';
import { exporterMeanings, exporterOptionsOf } from './option-exporter.ts';
import { meaningIn, shown, table } from './option-tables.ts';

/** What each option of an agent's file means, in the words of docs/agents.md. */
const meanings: Readonly<Record<string, string>> = {
  agent_id: 'the name that it reports under; another one in each agent, and none that a server has',
  'servers[].name': 'what messages and metrics call the server',
  'servers[].url': 'its listener for agents; redirects are not followed',
  'servers[].token': 'sent as X-API-Key; also `{ env: NAME }` or `{ file: PATH }`',
  'servers[].tags': 'tasks with one of them are asked for: a list, or one text with spaces',
  tasksSeconds: 'how often each server is asked for its tasks; a tenth more or less, by chance',
  batchSeconds: 'for how long reports are gathered before they are sent together; 0: at once',
  maxUnsent: 'reports kept for each server that is away; of each check the newest is kept in any case',
  allowExec: 'true: servers may have executables run here',
  'checks.concurrency': 'checks that may begin at one moment',
  'log.level': 'info or debug',
  'log.format': 'json, text, or auto: text on a terminal',
  ...exporterMeanings,
};

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The options of an agent's file; what has no default must be there, but for the token. */
export function agentTable(): string {
  const server = { name: 'one', url: 'http://one:8000' };
  const config = agentSchema.parse({ agent_id: 'a', servers: [server] });
  const serverKeys = Object.keys(agentSchema.shape.servers.element.shape);
  const optionsOf = (key: string): readonly (readonly [string, string])[] => {
    const value: unknown = config[key as keyof typeof config];
    if (key === 'agent_id') return [[key, 'required']];
    if (key === 'servers')
      return serverKeys.map((name) => {
        const usual = name === 'tags' ? shown(config.servers[0]?.tags) : '';
        return [`servers[].${name}`, name in server ? 'required' : usual];
      });
    if (key === 'exporter') return exporterOptionsOf(agentSchema.shape.exporter);
    if (!isTree(value)) return [[key, shown(value)]];
    return Object.entries(value).map(([name, inner]) => [`${key}.${name}`, shown(inner)]);
  };
  const rows = Object.keys(agentSchema.shape).flatMap(optionsOf);
  return table(
    ['option', 'default', 'meaning'],
    rows.map(([name, usual]) => [`\`${name}\``, usual, meaningIn(meanings, name)]),
  );
}
