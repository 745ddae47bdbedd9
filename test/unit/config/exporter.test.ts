import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-exporter-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads one service and what stands beside it. */
function load(text: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'env.yaml');
  writeFileSync(file, `services:\n- { name: web }\n${text}\n`);
  const { config, faults } = loadConfig({ file, env });
  return { exporter: config?.exporter, faults: faults.map((fault) => showFault(fault).replaceAll(file, 'F')) };
}

describe('the exporter in a configuration', () => {
  it('takes a token from the file or the environment, never shows it, and needs none', () => {
    expect(load('').exporter).toEqual({ listen: '0.0.0.0:6789' });
    const nested = load('exporter: { token: { env: SCRAPE }, tls: { cert: a.pem, key: a.key } }', {
      SCRAPE: 'token-of-prometheus',
    });
    expect(nested.faults).toEqual([]);
    expect(nested.exporter?.token?.reveal()).toBe('token-of-prometheus');
    expect(JSON.stringify(nested.exporter)).not.toContain('token-of');
    const flat = load('exporter: { listen: "127.0.0.1:9000" }', { EXPORTER_TOKEN: 'token-of-prometheus' });
    expect([flat.exporter?.listen, flat.exporter?.token?.reveal()]).toEqual(['127.0.0.1:9000', 'token-of-prometheus']);
  });

  it('refuses a token that is short or that no header can carry, and half a certificate', () => {
    const expected = 'expected printable ASCII letters, without spaces at the ends';
    expect(load('exporter: { token: "schlüssel-1" }').faults).toEqual([
      `F:3: exporter.token: *** is wrong: ${expected}`,
    ]);
    expect(load('', { EXPORTER_TOKEN: 'short' }).faults).toEqual([
      'environment: EXPORTER_TOKEN: *** is wrong: expected at least 8 characters',
    ]);
    expect(load('exporter: { tls: { key: a.key } }').faults).toEqual([
      'F:3: exporter.tls.cert: missing: expected string',
    ]);
  });

  it('refuses a token that may operate the API, and takes one that may only read', () => {
    const api =
      'api: { token: token-for-all, tokens: [{ name: ann, role: operate, token: token-of-ann }, { name: bob, role: read, token: token-of-bob }] }';
    const wanted = 'expected a token of its own: whoever reads metrics could switch by that of';
    expect(load(`${api}\nexporter: { token: token-for-all }`).faults).toEqual([
      `F:4: exporter.token: ${wanted} api.token (flat: API_TOKEN)`,
    ]);
    expect(load(`${api}\nexporter: { token: token-of-ann }`).faults).toEqual([`F:4: exporter.token: ${wanted} "ann"`]);
    expect(load(`${api}\nexporter: { token: token-of-bob }`).faults).toEqual([]);
  });
});
