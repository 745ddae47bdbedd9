import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { linesRunBy, pages, readPage, runBy, shapeOf, transcriptBelow } from '../fixtures/documents.ts';
import { openShell, type Shell } from '../fixtures/shell.ts';

/*
 * The five ways of README.md as a stranger follows them: its files are written and its lines typed as they stand, in their
 * order. Ports, folders below / and addresses of others are replaced; nothing else.
 */
const readme = readPage('README.md');
const lines = linesRunBy('ways');
const webServers = lines.filter(({ line }) => line.startsWith('node -e '));

/** What a line must have printed in the end; the others must end with 0. */
const says: Readonly<Record<string, RegExp>> = {
  'hsdo check-config --config web.yaml': /^web\.yaml is fine: 1 service \(web\)/,
  'curl http://127.0.0.1:8000/some/path': /web-[12]\n/,
  'hsdo status': /\nweb +ok .*\n(?:.*\n)+all in order\n/,
  'hsdo slots web': /^web: 2 of 20 slots occupied\n/,
  'hsdo service db': /\n1 .*127\.7\.0\.51:5432 .*(?:refused|timeout)/,
  'hsdo service web': /\n1 +web-1 .* up .*: up(?:, \S+: up)?\n2 +web-2 .*: up/,
  'dig +short @127.0.0.1 -p 8053 web.ha.example': /^127\.0\.0\.[12]\n$/,
  'dig +short @127.0.0.1 -p 8053 web.ha.example SRV': /^65535 10 \d+ slot-1\..*\n65535 10 \d+ slot-2\./,
  'dig +short @127.0.0.1 -p 8053 web.ha.example TXT': /^"web: 2 of 2 targets serve"\n/,
  'hsdo candidates web': /\nweb-2 /,
  'hsdo switchover web web-2': /^done: web points at web-2\n/,
  'cat entry-point': /^web-2\n$/,
  'hsdo nodes': /\nberlin-1 +agent +- +healthy /,
};

/** The first chapter is what they have in common. */
const ways = (runBy['ways'] ?? [])
  .filter((place) => place.startsWith('README.md#'))
  .slice(1)
  .map((place) => place.split('#')[1] ?? '');

let shell: Shell;

/** Files that a chapter has the reader write: those whose first line names them. */
function writeFilesOf(chapter: string): void {
  for (const { text } of readme.fences.filter((one) => one.chapter === chapter && one.language === 'yaml')) {
    const [, name] = /^# (\w+\.yaml)\n/.exec(text) ?? [];
    expect(name, text).toBeDefined();
    shell.write(name ?? '', text);
  }
}

beforeAll(async () => {
  shell = await openShell();
  writeFilesOf('Something to serve');
});
afterAll(() => shell?.remove());
beforeEach(async () => {
  for (const { line } of webServers) await shell.type(line);
});
afterEach(() => shell.closeWindows());

describeWith(['haproxy', 'dig', 'curl'], 'README.md, typed from the top', () => {
  it.each(ways)('works: %s', async (chapter) => {
    writeFilesOf(chapter);
    const typed = lines.filter((one) => one.chapter === chapter);
    expect(typed.length).toBeGreaterThan(2);
    for (const { line } of typed) await shell.type(line, { says: says[line] ?? /^/ });
  });

  it('answers in DNS as the transcripts of the documents have it', async () => {
    writeFilesOf('3. A name in DNS');
    await shell.type('hsdo --server --dns --config names.yaml');
    const typed = lines.filter(({ at }) => at.startsWith('docs/dns.md:'));
    expect(typed.length).toBeGreaterThan(0);
    for (const { at, line } of typed) {
      const shapes = (await shell.type(line, { says: says[line] ?? /^/ })).split('\n').map(shapeOf);
      for (const expected of transcriptBelow(at)) expect(shapes, at).toContainEqual(shapeOf(expected));
    }
  });

  it('shows lines for haproxy.cfg that HAProxy takes, with the usual ones of a frontend beside them', async () => {
    const fences = pages.flatMap((page) => readPage(page).fences).filter(({ language }) => language === 'haproxy');
    expect(fences.length).toBe(2);
    const usual = 'mode http\n    timeout connect 1s\n    timeout client 1s\n    timeout server 1s\n';
    for (const { text } of fences) {
      const withDefaults = text.includes('defaults\n') ? text : `defaults\n${text}`;
      const frontend = 'frontend all\n    bind 127.0.0.1:8000\n    default_backend web\n';
      shell.write('own.cfg', `${withDefaults.replace('defaults\n', `defaults\n    ${usual}`)}\n${frontend}`);
      await shell.type('haproxy -c -f own.cfg', { says: /Configuration file is valid/ });
    }
  });
});
