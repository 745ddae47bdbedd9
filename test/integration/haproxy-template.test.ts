import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { haproxySchema } from '../../src/deliver/haproxy/config.ts';
import { renderTemplate, type TemplateInput, templateView } from '../../src/deliver/haproxy/template.ts';
import { describeWith } from '../fixtures/component.ts';

const run = promisify(execFile);
const delivered = readFileSync(new URL('../../haproxy.cfg.template', import.meta.url), 'utf8');
const one = haproxySchema.parse({ backends: [{ name: 'web', baseName: 'web' }] }).backends;
const two = haproxySchema.parse({
  backends: [
    { name: 'near', baseName: 'n', accepts: 'primary' },
    { name: 'far', baseName: 'f', accepts: 'fallback', port: 8080 },
  ],
}).backends;

describeWith(['haproxy'], 'the delivered haproxy.cfg template', () => {
  it.each<[string, Partial<TemplateInput>]>([
    ['plain', {}],
    ['with a state file', { stateFile: '/nonexistent/state' }],
    ['with a fallback backend', { backends: two }],
    ['with a consistent hash', { balance: 'hash path' }],
    ['with leastconn and HTTP checks', { balance: 'leastconn', checkPath: '/health', checkTiming: 'inter 1s' }],
    ['with a TCP socket and without a frontend', { socket: '127.0.0.1:9999', bind: null }],
    ['with 2000 slots', { size: 2000 }],
  ])('is accepted by the installed HAProxy without a warning about itself: %s', async (_, changes) => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-template-'));
    try {
      const { stdout: haproxyVersion } = await run('haproxy', ['-v']);
      const input = { backends: one, size: 10, socket: join(folder, 'admin.sock'), haproxyVersion, ...changes };
      const path = join(folder, 'haproxy.cfg');
      await writeFile(path, renderTemplate(delivered, templateView(input)));
      const { stderr } = await run('haproxy', ['-c', '-f', path]);
      const warnings = stderr
        .split('\n')
        .filter((line) => line.includes('[WARNING]') && !line.includes('server state file'));
      expect(warnings).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
