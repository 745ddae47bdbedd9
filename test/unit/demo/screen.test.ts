import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { renderFrame } from '../../../src/demo/screen.ts';
import type { BusyRow, View } from '../../../src/demo/view.ts';

const row = (index: number, changes: Partial<BusyRow> = {}): BusyRow => ({
  index,
  target: `web-${index}`,
  address: `127.77.0.${index}:40000`,
  state: 'up',
  weight: 10,
  requestsPerSecond: 50,
  ...changes,
});

const free = (index: number) => row(index, { target: '-', address: '', state: 'free', weight: 0 });

const view: View = {
  elapsedSeconds: 83.4,
  parts: [
    { name: 'server', state: 'leads, epoch 1', isFine: true },
    { name: 'HAProxy', state: '2.6.12, pid 123456', isFine: true },
  ],
  steps: ['passed', 'passed', 'running', 'ahead'],
  title: '3/4 One leaves',
  text: 'web-3 is gone from the source. Its slot drains for 3 s, then it is free. Nobody else moves.',
  rows: [
    row(1),
    row(2, { state: 'down' }),
    row(3, { state: 'draining' }),
    row(4, { weight: 1 }),
    ...[5, 6, 7, 8].map(free),
  ],
  maxWeight: 10,
  served: 12345,
  failed: 0,
  requestsPerSecond: 298,
  names: {
    command: 'dig +short @127.0.0.1 -p 8053 web.demo.test',
    addresses: ['127.77.0.1', '127.77.0.4'],
  },
  events: Array.from({ length: 12 }, (_, n) => `event ${n + 1}`),
  hints: [
    ['look yourself', 'node dist/main.js status --api http://127.0.0.1:40123'],
    ['HAProxy', 'http://127.0.0.1:40124/   requests: curl http://127.0.0.1:40125/'],
    ['DNS', 'dig +short @127.0.0.1 -p 8053 web.demo.test SRV'],
    ['end', 'Ctrl-C; nothing is left behind'],
  ],
};

const plain = (columns: number, rows: number, shown: View = view) =>
  renderFrame(shown, { columns, rows, hasColor: false });

describe('the frame', () => {
  it('shows steps, what happens, the table, totals, what DNS says, events and how to look oneself on 80 columns', () => {
    expect(plain(80, 23)).toEqual([
      ' hsdo  ● server leads, epoch 1  ● HAProxy 2.6.12, pid 123456               1:23',
      '',
      ' ✓ ✓ ● ·  3/4 One leaves',
      ' web-3 is gone from the source. Its slot drains for 3 s, then it is free.',
      ' Nobody else moves.',
      '',
      ' slot  target  address           HAProxy   weight          requests/s',
      '    1  web-1   127.77.0.1:40000  up        ██████████  10          50',
      '    2  web-2   127.77.0.2:40000  down      ██████████  10          50',
      '    3  web-3   127.77.0.3:40000  draining  ██████████  10          50',
      '    4  web-4   127.77.0.4:40000  up        █·········   1          50',
      '    5  -                         free',
      '    6  -                         free',
      '    7  -                         free',
      '    8  -                         free',
      ' served 12,345   failed 0   requests/s 298',
      ' dig +short @127.0.0.1 -p 8053 web.demo.test   127.77.0.1 .4',
      ' - event 11',
      ' - event 12',
      ' look yourself  node dist/main.js status --api http://127.0.0.1:40123',
      ' HAProxy        http://127.0.0.1:40124/   requests: curl http://127.0.0.1:40125/',
      ' DNS            dig +short @127.0.0.1 -p 8053 web.demo.test SRV',
      ' end            Ctrl-C; nothing is left behind',
    ]);
  });

  it('never is wider or higher than the terminal, and keeps the table longest', () => {
    for (const columns of [10, 40, 79, 80, 200]) {
      for (const rows of [1, 5, 17, 20, 22, 23, 60]) {
        const lines = plain(columns, rows);
        expect(lines.length).toBeLessThanOrEqual(rows);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      }
    }
    expect(plain(80, 16).at(-1)).toContain('served 12,345');
    expect(plain(80, 17).at(-1)).toContain('127.77.0.1 .4');
  });

  it('has the whole command for DNS, then the answer, and tells silence from an answer with nothing in it', () => {
    const command = ' dig +short @127.0.0.1 -p 8053 web.demo.test';
    const linesOf = (columns: number, addresses: readonly string[] | undefined) => {
      const lines = plain(columns, 25, { ...view, names: { ...view.names, addresses } });
      const from = lines.findIndex((line) => line.startsWith(' dig'));
      return lines.slice(from, from + 2);
    };
    expect(linesOf(44, ['127.77.0.1', '127.77.1.2', '127.77.1.3'])).toEqual([command, '    127.77.0.1 127.77.1.2 .3']);
    expect(linesOf(77, undefined)).toEqual([command, '    no answer']);
    expect(linesOf(80, [])[0]).toBe(`${command}   no address`);
    expect(linesOf(80, undefined)[0]).toBe(`${command}   no answer`);
  });

  it('is as high with few events as with many, so that nothing jumps', () => {
    for (const rows of [23, 39]) {
      const [few, many] = [plain(80, rows, { ...view, events: [] }), plain(80, rows)];
      expect(few.length).toBe(many.length);
    }
  });

  it('has the same text with colours, and no escape code without', () => {
    const size = { columns: 80, rows: 39 };
    const colored = renderFrame(view, { ...size, hasColor: true });
    const bare = renderFrame(view, { ...size, hasColor: false });
    expect(colored.map((line) => stripVTControlCharacters(line))).toEqual(bare);
    expect(colored.join('')).not.toBe(bare.join(''));
    expect(bare.map((line) => stripVTControlCharacters(line))).toEqual(bare);
  });
});
