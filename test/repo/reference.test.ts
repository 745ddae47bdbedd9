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

/** Each table and its page are named below; `UPDATE_README=1 npx vitest run test/repo/reference.test.ts` writes them anew. */
const docs = new URL('../../docs/', import.meta.url);

function block(page: string, name: string): { before: string; content: string; after: string } {
  const text = readFileSync(new URL(page, docs), 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
  if (to < from) throw new Error(`docs/${page} has no block ${name}`);
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

describe('the reference in docs', () => {
  it.each([
    ['configuration.md', 'parameters', async () => parameterTable()],
    ['metrics.md', 'metrics', metricTable],
    ['checks.md', 'checks', async () => checkTable()],
    ['checks.md', 'judging', async () => judgingTable()],
    ['checks.md', 'codes', async () => codeTable()],
    ['stores.md', 'store options', async () => storeTable()],
    ['dns.md', 'dns options', async () => dnsTable()],
    ['agents.md', 'agent file', async () => agentTable()],
    ['metrics.md', 'exporter options', async () => exporterTable()],
    ['notifications.md', 'notifiers', async () => notifyTable()],
    ['api.md', 'routes', async () => routeTable()],
    ['operating.md', 'commands', async () => commandTable()],
    ['switching.md', 'switch options', async () => switchTable()],
  ])('has in %s the %s that the code has', async (page, name, make) => {
    const expected = await make();
    const { before, content, after } = block(page, name);
    if (process.env['UPDATE_README'] === '1') writeFileSync(new URL(page, docs), before + expected + after);
    else expect(content).toBe(expected);
  });
});
