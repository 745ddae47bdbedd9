import { readFileSync } from 'node:fs';
import { checkSchema } from '../../src/check/health-checks.ts';
import { serviceAgentsSchema } from '../../src/config/agents.ts';
import { selectSchema, voteSchema } from '../../src/config/judging.ts';
import { configSchema, serviceSchema } from '../../src/config/schema.ts';
import { probeCodes } from '../../src/model/probe.ts';
import { checkMeanings, judgingMeanings } from './option-meanings.ts';

type Tree = Readonly<Record<string, unknown>>;

/** What each kind of check cannot do without. */
const needed: Readonly<Record<string, Tree>> = {
  exec: { check: 'check.sh' },
  module: { path: 'check.ts' },
  postgres: { user: 'checker' },
  'redis-sentinel': { masterName: 'mymaster', sentinels: [{ host: 'localhost' }] },
};

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  ['', head, head.map(() => '---'), ...rows, '']
    .map((row) => (typeof row === 'string' ? row : `| ${row.join(' | ')} |`))
    .join('\n')
    .replace(/\| --- (\| --- )*\|/, (line) => line.replaceAll(' ', ''));

/** A default as a person writes it; nothing where there is none. */
export function shown(value: unknown): string {
  return value === undefined ? '' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}

export function meaningIn(meanings: Readonly<Record<string, string>> | undefined, name: string): string {
  const meaning = meanings?.[name];
  if (meaning === undefined) throw new Error(`option-meanings.ts says nothing about ${name}`);
  return meaning;
}

interface Option {
  readonly name: string;
  readonly default: string;
}

/** The options of one kind of check in the order of its schema; `holdDown` as its parts. */
function optionsOf(schema: (typeof checkSchema.options)[number]): { kind: string; options: readonly Option[] } {
  const kind = schema.shape.kind.value;
  const required = Object.keys(needed[kind] ?? {});
  const parsed: Tree = schema.parse({ kind, ...needed[kind] });
  const names = Object.keys(schema.shape).filter((name) => name !== 'kind');
  const options = names.flatMap((name): Option[] => {
    if (required.includes(name)) return [{ name, default: 'required' }];
    const value = parsed[name];
    if (name !== 'holdDown') return [{ name, default: shown(value) }];
    return Object.entries(value as Tree).map(([part, inner]) => ({ name: `${name}.${part}`, default: shown(inner) }));
  });
  return { kind, options };
}

const every = checkMeanings['every'] ?? {};

/** Options that all kinds have, with the defaults of most; then those of each kind. */
export function checkTable(): string {
  const kinds = checkSchema.options.map(optionsOf);
  const common = Object.keys(every).map((name) => {
    const defaults = kinds.flatMap(({ kind, options }) =>
      options.filter((one) => one.name === name).map((one) => ({ kind, shown: one.default })),
    );
    const most = mostOf(defaults.map((one) => one.shown));
    const others = defaults.filter((one) => one.shown !== most).map((one) => `${one.kind} ${one.shown}`);
    const owners = defaults.length === kinds.length ? 'every' : defaults.map(({ kind }) => kind).join(', ');
    return [owners, `\`${name}\``, [most, ...others].filter((text) => text !== '').join('; '), meaningIn(every, name)];
  });
  const own = kinds.flatMap(({ kind, options }) =>
    options
      .filter(({ name }) => every[name] === undefined)
      .map((option) => [kind, `\`${option.name}\``, option.default, meaningIn(checkMeanings[kind], option.name)]),
  );
  return table(['check', 'option', 'default', 'meaning'], [...common, ...own]);
}

function mostOf(texts: readonly string[]): string {
  const count = (text: string) => texts.filter((other) => other === text).length;
  return texts.reduce((most, text) => (count(text) > count(most) ? text : most), texts[0] ?? '');
}

/** What stands around the check: votes, selection, and what belongs to the process. */
export function judgingTable(): string {
  const service = serviceSchema.parse({ name: 'web' });
  const cluster: Tree = configSchema.shape.cluster.parse({ nodeId: 'one' });
  const bySelect = Object.assign(
    {},
    ...selectSchema.options.map((kind) => kind.parse({ kind: kind.shape.kind.value })),
  );
  const selectNames = new Set(selectSchema.options.flatMap((kind) => Object.keys(kind.shape)));
  const part = (prefix: string, names: readonly string[], values: Tree) =>
    names.map((name) => [`${prefix}.${name}`, shown(values[name])] as const);
  const checks = configSchema.shape.checks.parse(undefined);
  const api = configSchema.shape.api.parse(undefined);
  const rows = [
    ...part('vote', Object.keys(voteSchema.shape), service.vote),
    ['select', shown(service.select.kind)] as const,
    ...part(
      'select',
      [...selectNames].filter((name) => name !== 'kind'),
      bySelect as Tree,
    ),
    ['whenAllDown', shown(service.whenAllDown)] as const,
    ...part('weight', ['rampAfterDown'], service.weight),
    ...part('checks', Object.keys(checks), checks),
    ...part('agents', Object.keys(serviceAgentsSchema.shape), serviceAgentsSchema.parse({})),
    ...part('api.agents', Object.keys(api.agents), api.agents),
    ...part('cluster', ['heartbeatSeconds', 'nodeTtlSeconds'], cluster),
  ];
  return table(
    ['option', 'default', 'meaning'],
    rows.map(([name, value]) => [`\`${name}\``, value, meaningIn(judgingMeanings, name)]),
  );
}

/** The codes with their meaning, as the comment on them in probe.ts has it. */
export function codeTable(): string {
  const source = readFileSync(new URL('../../src/model/probe.ts', import.meta.url), 'utf8');
  const rows = [...source.matchAll(/^ \* \| `([a-z-]+)` +\| (.+?) +\|$/gm)].map(([, code = '', meaning = '']) => ({
    code,
    meaning,
  }));
  const told = rows.map(({ code }) => code).join();
  if (told !== probeCodes.join()) throw new Error(`probe.ts explains ${told}, expected ${probeCodes.join()}`);
  return table(
    ['code', 'what was found'],
    rows.map(({ code, meaning }) => [`\`${code}\``, meaning]),
  );
}
