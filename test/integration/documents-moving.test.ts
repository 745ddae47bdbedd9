import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../fixtures/component.ts';
import { linesRunBy } from '../fixtures/documents.ts';
import { openShell, type Shell } from '../fixtures/shell.ts';

/*
 * docs/moving-in.md, typed from the top of each chapter: roles are started for real, with what the import made of the
 * predecessor's file. What that names is not there, so that they have nobody to serve; import.test.ts gives them targets.
 */
let shell: Shell;
afterEach(() => shell?.remove());

const lines = linesRunBy('guide');
const chapters = [...new Set(lines.map(({ chapter }) => chapter))];

describeWith([], 'moving in, by the guide alone', () => {
  it('has a chapter for every predecessor', () => {
    const names = ['HSDO', 'HAnoProxY', 'har', 'PyFailoverDNS', 'dhaf'];
    expect(chapters).toEqual(names.map((name) => expect.stringContaining(`From ${name}`)));
  });

  it.each(chapters)('starts as it is typed: %s', async (chapter) => {
    shell = await openShell({ NODE_ID: 'n1' });
    for (const { line } of lines.filter((one) => one.chapter === chapter)) await shell.type(line);
  });
});
