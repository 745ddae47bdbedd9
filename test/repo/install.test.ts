import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { mirrorOf, pinsFor, setMeanwhile, sourceFor } from '../../scripts/apt.mjs';
import { buildIsFresh, ensureBuilt, ensureNode, packagesAreInstalled } from '../../scripts/install.mjs';
import { adviceFor, isInstalled, programs } from '../../scripts/programs.mjs';

const root = join(import.meta.dirname, '..', '..');
const folders: string[] = [];

function plant(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-install-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the installer', () => {
  it('takes Node from the release that package.json asks for, and names the one that it found', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('>=20.19.0');
    for (const version of ['20.19.0', '20.20.2', '22.1.0', '24.0.0']) expect(() => ensureNode(version)).not.toThrow();
    for (const version of ['18.20.4', '20.18.1']) expect(() => ensureNode(version)).toThrow(`this is Node ${version}`);
  });

  it('knows installed packages by version, misses none but optional ones, and distrusts a broken-off installation', () => {
    const lock = (packages: object) => JSON.stringify({ packages });
    const wanted = lock({
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0', optional: true },
    });
    const installed = (found: object) =>
      packagesAreInstalled(plant({ 'package-lock.json': wanted, 'node_modules/.package-lock.json': lock(found) }));
    expect(installed({ 'node_modules/a': { version: '1.0.0' } })).toBe(true);
    expect(installed({ 'node_modules/a': { version: '1.0.1' } })).toBe(false);
    expect(installed({})).toBe(false);
    expect(packagesAreInstalled(plant({ 'package-lock.json': wanted, 'node_modules/a/index.js': '' }))).toBe(false);
  });

  it('says nothing and does nothing when everything is there', () => {
    const output = execFileSync(
      process.execPath,
      ['-e', `import('./scripts/install.mjs').then((m) => { m.ensureNode(); m.ensurePackages(); })`],
      {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    expect(output).toBe('');
  });
});

describe('the build', () => {
  const sources = {
    'src/main.ts': 'export const answer: number = 1;\n',
    'src/old.ts': '',
    'vite.config.ts': `export default {
      build: { ssr: true, rolldownOptions: { input: { main: 'src/main.ts' }, output: { entryFileNames: '[name].js' } } },
    };`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: { strict: true, module: 'nodenext', target: 'es2023', types: [], noEmit: true },
    }),
    'tsconfig.build.json': JSON.stringify({
      extends: './tsconfig.json',
      include: ['src'],
    }),
    'package.json': '{"type":"module"}',
  };
  const prepare = () => {
    const folder = plant(sources);
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  };

  it('is done when a source is newer or gone, and leaves nothing of what is gone', () => {
    const folder = prepare();
    expect(buildIsFresh(folder)).toBe(false);
    ensureBuilt(folder);
    expect(buildIsFresh(folder)).toBe(true);
    writeFileSync(join(folder, 'dist', 'old.js'), '');
    rmSync(join(folder, 'src', 'old.ts'));
    const later = new Date(Date.now() + 5_000);
    utimesSync(join(folder, 'src'), later, later);
    expect(buildIsFresh(folder)).toBe(false);
    ensureBuilt(folder);
    expect(() => readFileSync(join(folder, 'dist', 'old.js'))).toThrow('ENOENT');
  });

  it('can be run by its name after npm link, each time anew', () => {
    const folder = prepare();
    ensureBuilt(folder);
    expect(statSync(join(folder, 'dist', 'main.js')).mode & 0o777).toBe(0o755);
    expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts.build).toMatch(
      / && chmod 755 dist\/main\.js$/,
    );
  });

  it('keeps the old dist when the sources are wrong, and says what and how to see it', () => {
    const folder = prepare();
    ensureBuilt(folder);
    writeFileSync(join(folder, 'src', 'main.ts'), `export const answer: number = 'one';\n`);
    const later = new Date(Date.now() + 5_000);
    utimesSync(join(folder, 'src', 'main.ts'), later, later);
    expect(() => ensureBuilt(folder)).toThrow(/"npm run build" failed.*src\/main\.ts\(1,14\): error TS2322/s);
    expect(readFileSync(join(folder, 'dist', 'main.js'), 'utf8')).toContain('answer = 1');
  });
});

describe('the installation of programs', () => {
  it('knows whether a program is there, and refuses one that it does not know', () => {
    expect(isInstalled('haproxy')).toBe(true);
    expect(() => isInstalled('nginx')).toThrow('unknown program "nginx"');
    for (const name of Object.keys(programs)) expect(adviceFor([name])).toMatch(/install/);
  });

  it("takes the mirror out of the machine's own sources, in both forms that apt knows", () => {
    const security = 'Types: deb\nURIs: http://security.example/debian-security\nSuites: bookworm-security\n';
    const modern = `Types: deb\n# a remark\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n`;
    expect(mirrorOf([`${security}\n${modern}`])).toBe('http://mirror.example/debian');
    const oneLine =
      'deb http://s.example/security bookworm-security main\ndeb [signed-by=/k.gpg] https://old.example/debian bookworm main\n';
    expect(mirrorOf(['# deb http://not.example bookworm main\n', oneLine])).toBe('https://old.example/debian');
    expect(() => mirrorOf([security])).toThrow('the sources of apt name no mirror of bookworm');
    expect(sourceFor('http://m.example/debian', 'trixie')).toContain('URIs: http://m.example/debian\nSuites: trixie\n');
  });

  it('sets what packages read meanwhile, and leaves the settings as the package or the owner has them', () => {
    const folder = plant({ 'share/a.conf': '#create = true\n', 'etc/own.conf': 'mine = 1\n' });
    const settings = (name: string, original: string) => ({
      file: join(folder, name),
      line: 'create = false',
      original: join(folder, original),
    });
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    const takeBack = [
      setMeanwhile(settings('etc/new/a.conf', 'share/a.conf')),
      setMeanwhile(settings('etc/own.conf', 'share/a.conf')),
      setMeanwhile(settings('gone/a.conf', 'share/missing.conf')),
    ];
    for (const name of ['etc/new/a.conf', 'etc/own.conf', 'gone/a.conf'])
      expect(read(name)).toMatch(/create = false\n$/);
    for (const undo of takeBack) undo();
    expect(read('etc/new/a.conf')).toBe('#create = true\n');
    expect(read('etc/own.conf')).toBe('mine = 1\n');
    expect(existsSync(join(folder, 'gone'))).toBe(false);
    // As after a run that was killed, which took nothing back.
    setMeanwhile(settings('etc/own.conf', 'share/a.conf'));
    setMeanwhile(settings('etc/own.conf', 'share/a.conf'))();
    expect(read('etc/own.conf')).toBe('mine = 1\n');
  });

  it('lets one package of another release in and nothing else', () => {
    expect(pinsFor([{ package: 'consul', release: 'bullseye' }])).toBe(
      'Package: *\nPin: release n=bullseye\nPin-Priority: -10\n\nPackage: consul\nPin: release n=bullseye\nPin-Priority: 100\n',
    );
  });
});
