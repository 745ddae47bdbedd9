import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSource, sourceSchema } from '../../../src/discover/sources.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { sourceOf, targetsOf } from '../../fixtures/sources.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const write = (text: string | Uint8Array, name = 'targets.yaml') => writeFile(join(folder, name), text);
const fileOf = (name = 'targets.yaml') => sourceOf({ kind: 'file', path: join(folder, name) });
const idsOf = async (source: ReturnType<typeof fileOf>, refused: readonly string[] = []) =>
  (await targetsOf(source, refused)).map(({ id }) => id);

describe('the source file', () => {
  it('reads YAML, JSON, and JSON under any name, from a path relative to the folder it is given', async () => {
    await write('- { name: web-1, address: 10.0.0.1, port: 80, weight: 5, priority: 9 }\n- 10.0.0.2:81\n');
    expect(await targetsOf(fileOf())).toEqual([
      { id: 'web-1', name: 'web-1', address: '10.0.0.1', port: 80, group: 'file', weight: 5, priority: 9 },
      { id: '10.0.0.2:81', name: '10.0.0.2:81', address: '10.0.0.2', port: 81, group: 'file' },
    ]);
    await write('["10.0.0.3"]', 'targets.json');
    const config = sourceSchema.parse({ kind: 'file', path: 'targets.json' });
    expect(await idsOf(createSource(config, { aws: {}, clock: systemClock, baseFolder: folder }))).toEqual([
      '10.0.0.3',
    ]);
    await write('\t["10.0.0.3"]');
    expect(await idsOf(fileOf())).toEqual(['10.0.0.3']);
  });

  it("reads Prometheus's file_sd format with the labels that mean something here", async () => {
    const labels = { zone: 'a', group: 'web-b', weight: '7', job: 'node', __meta_x: 'y' };
    const groups = [{ targets: ['10.0.0.1:9100', 'node.example.org:9100', 7], labels }, { targets: ['[::1]:1'] }];
    await write(JSON.stringify([...groups, { targets: 'all' }, '10.0.0.9']), 'sd.json');
    expect(await targetsOf(fileOf('sd.json'), ['node.example.org:9100', 'entry 3', 'entry 5'])).toEqual([
      {
        id: '10.0.0.1:9100',
        name: '10.0.0.1:9100',
        address: '10.0.0.1',
        port: 9100,
        group: 'web-b',
        zone: 'a',
        weight: 7,
      },
      { id: '::1/1', name: '::1/1', address: '::1', port: 1, group: 'file' },
      { id: '10.0.0.9', name: '10.0.0.9', address: '10.0.0.9', group: 'file' },
    ]);
  });

  it('takes [] for none, and nothing else', async () => {
    await write('[]');
    expect(await idsOf(fileOf())).toEqual([]);
    const unknown = [
      '',
      '\n',
      '# only words\n',
      '---\n',
      'null',
      'targets: []',
      '{}',
      '"10.0.0.1"',
      '[{',
      '- a\n  - b: [\n',
    ];
    for (const text of [...unknown, '- {a: 1, a: 2}', Uint8Array.of(0x5b, 0xff, 0x5d)]) {
      await write(text);
      await expect(fileOf().discover(never), String(text)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });

  it('does not know when the file is missing, a folder, or grows a small text into a large list', async () => {
    await expect(fileOf('missing').discover(never)).rejects.toThrow(/Cannot read targets from file ".*missing"/);
    await mkdir(join(folder, 'a-folder'));
    await expect(fileOf('a-folder').discover(never)).rejects.toMatchObject({ code: 'unavailable' });
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let n = 0; n < 8; n += 1) {
      const above = n === 0 ? 'a' : `a${n - 1}`;
      bomb.push(`a${n}: &a${n} [${Array(10).fill(`*${above}`).join(', ')}]`);
    }
    await write(bomb.join('\n'));
    await expect(fileOf().discover(never)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('the hints of the source file', () => {
  it.each<[string, () => Promise<void>]>([
    ['is written over', () => write('[10.0.0.2]')],
    [
      'is replaced by another name',
      async () => {
        await write('[10.0.0.2]', 'new');
        await rename(join(folder, 'new'), join(folder, 'targets.yaml'));
      },
    ],
    [
      'is reached by a link that is replaced',
      async () => {
        await mkdir(join(folder, 'v2'));
        await write('[10.0.0.2]', 'v2/list');
        await symlink('v2/list', join(folder, 'link'));
        await rename(join(folder, 'link'), join(folder, 'targets.yaml'));
      },
    ],
  ])('come when it %s, while waiting and before', async (_, change) => {
    await write('[10.0.0.1]');
    const source = fileOf();
    expect(await idsOf(source)).toEqual(['10.0.0.1']);
    const waiting = source.changed?.(never);
    await change();
    await waiting;
    expect(await idsOf(source)).toEqual(['10.0.0.2']);
    await write('[10.0.0.33]');
    await source.changed?.(never);
    expect(await idsOf(source)).toEqual(['10.0.0.33']);
  });

  it('come when a folder on the way is swapped by a link, as Kubernetes does', async () => {
    for (const version of ['v1', 'v2']) {
      await mkdir(join(folder, version));
      await write(`[10.0.0.${version.slice(1)}]`, `${version}/targets.yaml`);
    }
    await symlink('v1', join(folder, '..data'));
    await symlink('..data/targets.yaml', join(folder, 'targets.yaml'));
    const source = fileOf();
    expect(await idsOf(source)).toEqual(['10.0.0.1']);
    const waiting = source.changed?.(never);
    await symlink('v2', join(folder, '..new'));
    await rename(join(folder, '..new'), join(folder, '..data'));
    await waiting;
    expect(await idsOf(source)).toEqual(['10.0.0.2']);
  });

  it('come when a missing file appears, and are refused where the folder is missing', async () => {
    const source = fileOf();
    await expect(source.discover(never)).rejects.toThrow();
    const waiting = source.changed?.(never);
    await write('[]');
    await waiting;
    const nowhere = sourceOf({ kind: 'file', path: join(folder, 'a', 'b') });
    await expect(nowhere.discover(never)).rejects.toThrow();
    await expect(nowhere.changed?.(never)).rejects.toThrow();
  });

  it('end with the signal', async () => {
    await write('[]');
    const source = fileOf();
    await source.discover(never);
    const own = new AbortController();
    const waiting = source.changed?.(own.signal);
    own.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
