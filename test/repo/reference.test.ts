import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parameters } from '../../src/config/parameters.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { commandTable } from './command-table.ts';
import { agentTable } from './option-agent.ts';
import { dnsTable } from './option-dns.ts';
import { exporterTable } from './option-exporter.ts';
import { notifyTable } from './option-notify.ts';
import { storeTable } from './option-store.ts';
import { switchTable } from './option-switch.ts';
import { checkTable, codeTable, judgingTable } from './option-tables.ts';
import { routeTable } from './route-table.ts';

/** The tables in README.md are made from the code; `UPDATE_README=1 npx vitest run test/repo/reference.test.ts` writes them anew. */
const readme = new URL('../../README.md', import.meta.url);

function block(name: string, text: string): { before: string; content: string; after: string } {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf(end);
  if (to < from) throw new Error(`README.md has no block ${name}`);
  return { before: text.slice(0, from), content: text.slice(from, to), after: text.slice(to) };
}

const cell = (text: string) => text.replaceAll('|', '\\|');

function parameterTable(): string {
  const rows = parameters.map(({ name, aliases, default: fallback, doc, format }) => {
    const shown =
      fallback === undefined
        ? ''
        : `\`${Array.isArray(fallback) ? fallback.join(',') : JSON.stringify(fallback).replaceAll('"', '')}\``;
    const also = aliases.length === 0 ? '' : ` (also ${aliases.map((alias) => `\`${alias}\``).join(', ')})`;
    return `| \`${name}\` | ${shown} | ${cell(doc)}; ${cell(format.expected.replace(/^expected /, ''))}${also} |`;
  });
  return ['', '| parameter | default | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}

async function metricTable(): Promise<string> {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  const rows = metrics.map(({ name, help, type }) => `| \`${name}\` | ${type} | ${cell(help)} |`);
  return ['', '| metric | type | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}

describe('the reference in README.md', () => {
  it.each([
    ['parameters', async () => parameterTable()],
    ['metrics', metricTable],
    ['checks', async () => checkTable()],
    ['judging', async () => judgingTable()],
    ['codes', async () => codeTable()],
    ['store options', async () => storeTable()],
    ['dns options', async () => dnsTable()],
    ['agent file', async () => agentTable()],
    ['exporter options', async () => exporterTable()],
    ['notifiers', async () => notifyTable()],
    ['routes', async () => routeTable()],
    ['commands', async () => commandTable()],
    ['switch options', async () => switchTable()],
  ])('lists the %s that the code has', async (name, make) => {
    const expected = await make();
    const { before, content, after } = block(name, readFileSync(readme, 'utf8'));
    if (process.env['UPDATE_README'] === '1') writeFileSync(readme, before + expected + after);
    else expect(content).toBe(expected);
  });
});
