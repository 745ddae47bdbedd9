import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { haproxySchema } from '../../../../src/deliver/haproxy/config.ts';
import {
  parseVersion,
  renderTemplate,
  type TemplateInput,
  templateView,
} from '../../../../src/deliver/haproxy/template.ts';

const delivered = readFileSync(new URL('../../../../haproxy.cfg.template', import.meta.url), 'utf8');
const { backends } = haproxySchema.parse({ backends: [{ name: 'web', baseName: 'srv', defaultPort: 8080 }] });
const render = (input: Partial<TemplateInput> = {}) =>
  renderTemplate(delivered, templateView({ backends, size: 20, socket: '/run/admin.sock', ...input }));

describe('the delivered haproxy.cfg template', () => {
  it('makes slots of a host name that is never looked up, closed until they are filled', () => {
    expect(render()).toContain(
      'server-template srv 1-20 hsdo-slot.invalid:8080 check inter 2s fastinter 500ms rise 2 fall 3 disabled init-addr last,127.0.0.2\n',
    );
  });

  it('names the state file in both places, or in none', () => {
    expect(render({ stateFile: '/var/lib/hsdo/state' })).toMatch(
      /server-state-file \/var\/lib\/hsdo\/state[\s\S]*load-server-state-from-file global/,
    );
    expect(render()).not.toContain('state-file');
  });

  it('falls back when the primary backend has no server up', () => {
    const two = haproxySchema.parse({
      backends: [
        { name: 'far', baseName: 'far', accepts: 'fallback' },
        { name: 'near', baseName: 'near', accepts: 'primary' },
      ],
    }).backends;
    const text = render({ backends: two });
    expect(text).toMatch(/use_backend far if \{ nbsrv\(near\) lt 1 \}\n {4}default_backend near\n/);
    expect(text).toMatch(/^backend far$[\s\S]*^backend near$/m);
    expect(render()).not.toContain('use_backend');
  });

  it('hashes consistently, by address where the version can', () => {
    expect(render({ balance: 'hash path' })).toMatch(/balance hash path[\s\S]*hash-type consistent/);
    expect(render()).not.toContain('hash-type');
    const with26 = render({
      balance: 'hash path',
      haproxyVersion: 'HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/',
    });
    expect(with26).not.toContain('hash-key');
    expect(render({ balance: 'hash path', haproxyVersion: 'HAProxy version 3.0.1' })).toContain('hash-key addr-port');
    expect(render({ haproxyVersion: 'HAProxy version 3.0.1' })).not.toContain('hash-key');
  });

  it('lets HAProxy gate new targets itself where it can and no state file would be held back by it', () => {
    expect(render({ haproxyVersion: 'HAProxy version 3.1.0' })).toContain('init-state fully-down');
    expect(render({ haproxyVersion: 'HAProxy version 3.1.0', stateFile: '/s' })).not.toContain('init-state');
    expect(render({ haproxyVersion: 'HAProxy version 3.0.9' })).not.toContain('init-state');
  });

  it('listens on a Unix path or a TCP address, and without a frontend if asked', () => {
    expect(render()).toContain('stats socket /run/admin.sock mode 660 level admin expose-fd listeners\n');
    expect(render({ socket: '127.0.0.1:9999' })).toContain(
      'stats socket ipv4@127.0.0.1:9999 level admin expose-fd listeners\n',
    );
    expect(render({ socket: '[::1]:9999' })).toContain('stats socket ipv6@::1:9999 level admin');
    expect(render({ bind: null })).not.toContain('frontend');
    expect(render({ user: 'haproxy' })).toMatch(/ {4}user haproxy\n {4}group haproxy\n/);
  });

  it.each<Partial<TemplateInput>>([
    { stateFile: '/a\nlisten x' },
    { bind: '*:80\n  server x' },
    { balance: 'hash path # no' },
    { checkPath: '/a b' },
    { checkTiming: 'inter "2s"' },
    { socket: 'nosocket' },
    { user: 'a\\b' },
    { backends: [] },
  ])('is refused with %j', (input) => expect(() => render(input)).toThrow(expect.objectContaining({ code: 'config' })));
});

describe("a template of one's own", () => {
  it('may use the names of HSDO, and nothing is escaped', () => {
    const template =
      'backend {{ HAPROXY_BACKEND_NAME }}\nserver-template {{ HAPROXY_BACKEND_BASE_NAME }} 1-{{ HAPROXY_BACKEND_SERVERS_LIST_SIZE }} 127.0.0.2:{{ HAPROXY_BACKEND_SERVER_PORT }} check disabled';
    const view = templateView({ backends, size: 10, socket: '/run/a.sock' });
    expect(renderTemplate(template, view)).toBe('backend web\nserver-template srv 1-10 127.0.0.2:8080 check disabled');
    expect(renderTemplate('{{ socket }}', view)).toBe('/run/a.sock');
    expect(() => renderTemplate('{{#a}}', view)).toThrow(expect.objectContaining({ code: 'config' }));
  });
});

it('the version is read from what haproxy -v prints', () => {
  expect(parseVersion('HAProxy version 2.6.12-1+deb12u4 2026/10/17')).toEqual({ major: 2, minor: 6 });
  expect(parseVersion('HA-Proxy version 2.2.9-2 2021/01/01')).toEqual({ major: 2, minor: 2 });
  expect(parseVersion('3.2')).toEqual({ major: 3, minor: 2 });
  expect(parseVersion('')).toBeUndefined();
});
