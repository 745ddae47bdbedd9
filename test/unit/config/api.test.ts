import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { showFault } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'hsdo-config-api-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Loads one service and the block `api`. */
function load(api: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, 'env.yaml');
  writeFileSync(file, `services:\n- { name: web }\napi: ${api}\n`);
  const { config, faults } = loadConfig({ file, env });
  return { api: config?.api, faults: faults.map((fault) => showFault(fault).replaceAll(file, 'F')) };
}

describe('the API in a configuration', () => {
  it('takes tokens with roles, out of the environment, a file or as they stand, and never shows one', () => {
    const secretFile = join(folder, 'ann');
    writeFileSync(secretFile, 'token-of-ann\n');
    const { api, faults } = load(
      `{ listen: "0.0.0.0:8128", tokens: [{ name: board, role: read, token: { env: BOARD } }, { name: ann, role: operate, token: { file: ${secretFile} } }] }`,
      { BOARD: 'token-of-the-board' },
    );
    expect(faults).toEqual([]);
    expect(api?.tokens.map(({ name, role, token }) => [name, role, token.reveal()])).toEqual([
      ['board', 'read', 'token-of-the-board'],
      ['ann', 'operate', 'token-of-ann'],
    ]);
    expect(JSON.stringify(api)).not.toContain('token-of');
  });

  it('is open to others only with a token', () => {
    const [fault, ...more] = load('{ listen: "0.0.0.0:8128" }').faults;
    expect(more).toEqual([]);
    expect(fault).toContain('"0.0.0.0:8128" is wrong: expected a loopback address, or a token beside it');
    expect(load('{ listen: "0.0.0.0:8128", token: long-enough }').faults).toEqual([]);
    expect(load('{ listen: "127.0.0.1:8128" }').faults).toEqual([]);
  });

  it('gives each token to one alone', () => {
    const { faults } = load(
      '{ token: same-token, tokens: [{ name: a, role: read, token: same-token }, { name: a, role: read, token: other-token }, { name: b, role: read, token: other-token }] }',
    );
    expect(faults).toEqual([
      'F:3: api.tokens[0].token: expected a token of its own, not that of api.token',
      'F:3: api.tokens[1].name: expected a name of its own: "a" has one',
      'F:3: api.tokens[2].token: expected a token of its own, not that of "a"',
    ]);
  });

  it('refuses short tokens, unknown roles and half a certificate', () => {
    const { faults } = load('{ tokens: [{ name: a, role: admin, token: short }], tls: { cert: /etc/hsdo.pem } }');
    expect(faults.map((fault) => fault.replace(/^F:3: (\S+):.*$/, '$1')).sort()).toEqual([
      'api.tls.key',
      'api.tokens[0].role',
      'api.tokens[0].token',
    ]);
  });
});
