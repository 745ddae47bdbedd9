import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linesToType, pages, readPage, runBy, textOf } from '../fixtures/documents.ts';
import { lookedAt } from './machine-lines.ts';
import { faultsOfFragment } from './yaml-fragments.ts';

const root = join(import.meta.dirname, '..', '..');
const languages = ['console', 'haproxy', 'sh', 'text', 'ts', 'yaml'];
const fences = pages.flatMap((page) => readPage(page).fences);

/** The anchor that a title gets. */
const anchorOf = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

/** Links of a page that lead nowhere; those to other machines are not followed. */
function brokenLinks(page: string): readonly string[] {
  const links = readPage(page).prose.flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to));
  return links
    .filter((to) => !/^https?:/.test(to))
    .filter((to) => {
      const [path = '', anchor] = to.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, target))) return true;
      if (anchor === undefined) return false;
      return !readPage(target).titles.map(anchorOf).includes(anchor);
    })
    .map((to) => `${page}: ${to}`);
}

describe('the documents', () => {
  it('lead nowhere that is not there', () => {
    expect(pages.length).toBeGreaterThan(10);
    expect(pages.flatMap(brokenLinks)).toEqual([]);
  });

  it('are all reached from README.md', () => {
    const readme = textOf('README.md');
    expect(pages.filter((page) => page !== 'README.md' && !readme.includes(`](${page}`))).toEqual([]);
  });

  it('say of each block what it is written in', () => {
    expect(fences.length).toBeGreaterThan(40);
    expect(fences.filter(({ language }) => !languages.includes(language))).toEqual([]);
  });

  it('begin with what decides: README.md tells in 60 lines what it is, for whom, and how to see it', () => {
    const top = textOf('README.md').split('\n').slice(0, 60).join('\n');
    expect(top).toMatch(/\nnpm start\n/);
    expect(textOf('README.md').split('\n').length).toBeLessThan(400);
  });
});

describe('what stands in a document to be typed', () => {
  it('is run by a test, line by line', () => {
    const chapters = new Set(Object.values(runBy).flat());
    const typed = pages.flatMap(linesToType);
    expect(typed.length).toBeGreaterThan(90);
    const places = typed.map(({ at, chapter, line }) => ({ place: `${at.split(':')[0]}#${chapter}`, at, line }));
    expect(places.filter(({ place }) => !chapters.has(place))).toEqual([]);
    expect([...chapters].filter((chapter) => !places.some(({ place }) => place === chapter))).toEqual([]);
  });

  it('and would change this machine is looked at, each line for a reason of its own', async () => {
    const typed = pages
      .flatMap(linesToType)
      .filter(({ at, chapter }) => runBy['machine']?.includes(`${at.split(':')[0]}#${chapter}`));
    expect(typed.map(({ line }) => line).filter((line) => lookedAt[line] === undefined)).toEqual([]);
    expect(Object.keys(lookedAt).filter((line) => !typed.some((one) => one.line === line))).toEqual([]);
    for (const { line, at } of typed) expect([at, await lookedAt[line]?.faults()]).toEqual([at, []]);
  });

  it('within a sentence names npm scripts, tests and figures that are there', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const figures = readFileSync(join(root, 'test/bench/main.ts'), 'utf8');
    const calls = pages.flatMap((page) =>
      [...textOf(page).matchAll(/`(?:\w+=\S+ )?npm (?:run )?([a-z]+)((?: [^`\n]+)?)`/g)].map(([call, name, rest]) => ({
        page,
        call,
        name: name ?? '',
        rest: rest ?? '',
      })),
    );
    expect(calls.length).toBeGreaterThan(25);
    const npmsOwn = ['ci', 'link', 'i'];
    const faults = calls.flatMap(({ page, call, name, rest }) => [
      ...(name in scripts || npmsOwn.includes(name) ? [] : [`${page}: ${call}: no such script`]),
      ...[...rest.matchAll(/\btest\/\S+/g)].flatMap(([path]) =>
        existsSync(join(root, path)) ? [] : [`${page}: no ${path}`],
      ),
      ...[...rest.matchAll(/--only (\S+)/g)].flatMap(([, figure]) =>
        figures.includes(figure ?? '') ? [] : [`${page}: no figure ${figure}`],
      ),
    ]);
    expect(faults).toEqual([]);
  });
});

describe('what stands in a document to be configured', () => {
  const yaml = fences.filter(({ language }) => language === 'yaml');

  it.each(yaml.map((fence) => [`${fence.page}:${fence.line}`, fence.text]))(
    'is taken by check-config: %s',
    (_, text) => {
      expect(faultsOfFragment(text)).toEqual([]);
    },
  );

  it('would be found if it were wrong', () => {
    expect(yaml.length).toBeGreaterThan(12);
    for (const text of [
      'maintenance:\n  - { targts: [a] }',
      'serivces: []',
      'SERVER_MODE: consull',
      '- { name: a, port: 70000 }',
    ])
      expect(faultsOfFragment(text), text).not.toEqual([]);
  });
});

describe('the screenshot of the dashboard', () => {
  it('is small enough to be loaded with the page', () => {
    expect(statSync(join(root, 'docs/dashboard.webp')).size).toBeLessThan(300_000);
  });
});
