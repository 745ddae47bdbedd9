import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { exampleSecrets } from '../../fixtures/examples.ts';
import { importAndLoad, loadText, predecessorsExample } from '../../fixtures/importing.ts';

type Plain = Record<string, unknown>;

/** As plain data; the name of this very machine aside. */
const plain = (config: unknown) => {
  const { cluster, ...rest } = JSON.parse(JSON.stringify(config)) as Plain & { cluster: Plain };
  return { ...rest, cluster: { ...cluster, nodeId: 'any' } } as unknown as Plain & {
    services: Plain[];
    notify: Plain[];
  };
};
const ours = (name: string) => {
  const text = readFileSync(new URL(`../../../conf/examples/${name}.yaml`, import.meta.url), 'utf8');
  return plain(loadText(text, exampleSecrets) as Config);
};
const theirs = (name: string) => {
  const imported = importAndLoad(predecessorsExample(name), name);
  expect(imported.complaints).toEqual([]);
  return { ...imported, plain: plain(imported.config) };
};

describe("a predecessor's own example comes to what our example of it says", () => {
  it('har', () => {
    expect(theirs('har.conf').plain).toEqual(ours('har-names'));
  });

  it('HSDO', () => {
    expect(theirs('env.yaml').plain).toEqual(ours('hsdo-aws'));
  });

  it("PyFailoverDNS's master", () => {
    expect(theirs('pyfailoverdns.yaml').plain).toEqual(ours('pyfailoverdns'));
  });

  it('HAnoProxY, but for the password of Redis itself, which it never asks', () => {
    const wanted = ours('hanoproxy');
    const [service] = wanted.services as { source: Plain[]; check: Plain }[];
    for (const place of [service?.source[0], service?.check]) delete place?.['password'];
    expect(theirs('hanoproxy.yaml').plain).toEqual(wanted);
  });

  it('dhaf, but for the ways of dhaf that our example improves: no hold-down, and failback at once', () => {
    const wanted = ours('dhaf');
    const [service] = wanted.services as { check: Plain; select: Plain }[];
    Object.assign(service?.select ?? {}, { failbackSeconds: 0 });
    Object.assign(service?.check ?? {}, { holdDown: { seconds: 0, maxSeconds: 300 } });
    const [mail, chat] = wanted.notify;
    Object.assign(mail ?? {}, { from: 'hsdo@foo.com' });
    const { security: _, ...smtp } = (mail?.['smtp'] ?? {}) as Plain;
    Object.assign(mail ?? {}, { smtp });
    Object.assign(chat ?? {}, { name: 'tg-anon' });
    const { plain: found, config } = theirs('config-n1.dhaf');
    expect(found).toEqual(wanted);
    expect((config as Config).cluster.nodeId).toBe('n1');
  });

  it('says what else is to be known, and shows no secret anywhere', () => {
    for (const name of ['config-n1.dhaf', 'hanoproxy.yaml', 'pyfailoverdns.yaml']) {
      const { text, entries, variables, told } = theirs(name);
      for (const { value } of variables) {
        expect(text).not.toContain(value);
        expect(JSON.stringify(entries)).not.toContain(value);
      }
      expect(variables.length).toBeGreaterThan(0);
      expect(told('taken').length).toBeGreaterThan(5);
      expect(told('differs').length).toBeGreaterThan(0);
    }
    expect(theirs('config-n1.dhaf').variables.map(({ name }) => name)).toEqual([
      'CLOUDFLARE_TOKEN',
      'SMTP_PASSWORD',
      'TELEGRAM_TOKEN',
      'TELEGRAM_JOIN_CODE',
    ]);
  });
});
