import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { describeWith } from '../fixtures/component.ts';
import { knownSeries, type Matched, readQuery } from './promql.ts';

const root = join(import.meta.dirname, '..', '..');
const conf = join(root, 'conf', 'prometheus');
const folder = mkdtempSync(join(tmpdir(), 'hsdo-promtool-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const series = knownSeries();
const rulesFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});
const rules = rulesFile
  .parse(parse(readFileSync(join(conf, 'hsdo.rules.yml'), 'utf8')))
  .groups.flatMap((group) => group.rules);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string; readonly titleFormat: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}
const dashboard = JSON.parse(readFileSync(join(root, 'conf', 'grafana', 'hsdo.json'), 'utf8')) as Dashboard;
/** Every query of the dashboard as Grafana would send it, and the text in which its labels are named. */
const asked = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, expr, shown: legendFormat })),
  ),
  ...dashboard.annotations.list.map(({ expr, titleFormat }) => ({ where: 'annotation', expr, shown: titleFormat })),
].map(({ expr, ...rest }) => ({ ...rest, expr: expr.replaceAll('$__rate_interval', '1m') }));

/** Labels in `{{ $labels.x }}` of an alert or `{{x}}` of a legend. */
const namedIn = (text: string) => [...text.matchAll(/\{\{\s*(?:\$labels\.)?([a-z]+)\b/g)].map(([, name = '']) => name);
const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n');
/** Codes of DNS answers are made of a table of numbers. */
const isMade = ({ label, value }: Matched) =>
  value.startsWith('$') || label === 'job' || new RegExp(`['"\\s{]${value}['"]?[\\s:,;)\\]|]`).test(source);
const strange = (matched: readonly Matched[]) =>
  matched.flatMap(({ label, value }) =>
    value.split('|').flatMap((one) => (isMade({ label, value: one }) ? [] : [`${label}="${one}"`])),
  );

describe('the alerts of conf/prometheus', () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks for what hsdo exports', (_, rule) => {
    const { faults, labels, matched } = readQuery(rule.expr, series);
    expect(faults).toEqual([]);
    expect(strange(matched)).toEqual([]);
    const named = namedIn(`${rule.annotations.summary} ${rule.annotations.description}`).filter((x) => x !== 'value');
    expect(named.filter((name) => !labels.includes(name))).toEqual([]);
  });

  it('have names of their own, each of which the tests of promtool expect to fire', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    const tests = readFileSync(join(conf, 'hsdo.rules.test.yml'), 'utf8');
    expect(rules.map(({ alert }) => alert).filter((name) => !tests.includes(`alertname="${name}"`))).toEqual([]);
  });
});

describe('the dashboard of conf/grafana', () => {
  it('asks in every panel for what hsdo exports, and names labels that come out', () => {
    const faults = asked.flatMap(({ where, expr, shown }) => {
      const { faults: own, labels, matched } = readQuery(expr, series);
      const unknown = namedIn(shown).filter((name) => !labels.includes(name));
      return [...own, ...strange(matched), ...unknown.map((name) => `no ${name} comes out`)].map(
        (fault) => `${where}: ${fault} (${expr})`,
      );
    });
    expect(faults).toEqual([]);
    expect(asked.length).toBeGreaterThan(60);
  });

  it('chooses among labels that are there', () => {
    for (const { definition } of dashboard.templating.list) {
      if (definition === undefined) continue;
      const [, expr = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      const { faults, labels } = readQuery(expr, series);
      expect({ definition, faults, has: labels.includes(label) }).toEqual({ definition, faults: [], has: true });
    }
  });

  it('would not get away with a metric, a label or a value that nobody exports', () => {
    expect(readQuery('sum by (cluster) (hsdo_leader)', series).faults).toEqual(['nothing in it has a label cluster']);
    expect(readQuery('hsdo_leaders{zone="a"}', series).faults).toEqual(['hsdo exports no hsdo_leaders']);
    expect(readQuery('hsdo_leader{zone="a"}', series).faults).toEqual(['hsdo_leader has no label zone']);
    expect(readQuery('sum(hsdo_leader', series).faults).toHaveLength(1);
    expect(strange(readQuery('hsdo_switch_total{outcome="exploded"}', series).matched)).toEqual(['outcome="exploded"']);
  });
});

function promtool(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', cwd: folder });
  return status === 0 ? 'fine' : `${stdout}${stderr}`;
}

describeWith(['promtool'], 'by the words of promtool', () => {
  cpSync(conf, folder, { recursive: true });

  it('the example configuration and the alerts are understood', () => {
    expect(promtool('check', 'config', 'prometheus.yml')).toBe('fine');
    expect(promtool('check', 'rules', 'hsdo.rules.yml')).toBe('fine');
    const secured = readFileSync(join(folder, 'prometheus.yml'), 'utf8').replaceAll(/^( +)# (?=\S+:| {2})/gm, '$1');
    expect(parse(secured)).toMatchObject({ scrape_configs: [{ scheme: 'https', authorization: {}, tls_config: {} }] });
    writeFileSync(join(folder, 'secured.yml'), secured);
    expect(promtool('check', 'config', '--syntax-only', 'secured.yml')).toBe('fine');
  });

  it('each alert fires when it should, and none beside it', () => {
    expect(promtool('test', 'rules', 'hsdo.rules.test.yml')).toBe('fine');
  });

  it('an alert that is wrong is found', () => {
    const text = readFileSync(join(folder, 'hsdo.rules.yml'), 'utf8');
    const tests = parse(readFileSync(join(folder, 'hsdo.rules.test.yml'), 'utf8')) as { tests: { name: string }[] };
    const few = { ...tests, rule_files: ['wrong.yml'], tests: tests.tests.filter(({ name }) => /^HAProxy/.test(name)) };
    writeFileSync(join(folder, 'wrong.yml'), text.replace('hsdo_haproxy_up == 0', 'hsdo_haproxy_up == 2'));
    writeFileSync(join(folder, 'wrong.test.yml'), JSON.stringify(few));
    expect(promtool('test', 'rules', 'wrong.test.yml')).toContain('HsdoHaproxyAway');
  });

  it('every query of the dashboard is one that Prometheus answers', () => {
    const own = asked.map(({ expr }, at) => ({ record: `hsdo:query${at}`, expr }));
    const check = (list: readonly unknown[]) => {
      writeFileSync(join(folder, 'queries.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules: list }] }));
      return promtool('check', 'rules', 'queries.yml');
    };
    expect(check(own)).toBe('fine');
    expect(check([...own, { record: 'hsdo:wrong', expr: 'rate(hsdo_leader)' }])).toContain('parse error');
  });
});
