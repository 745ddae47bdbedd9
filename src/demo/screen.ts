import pc from 'picocolors';
import { shortAddresses } from './names.ts';
import type { BusyRow, Row, StepState, View } from './view.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
  readonly hasColor: boolean;
}

type Colors = ReturnType<typeof pc.createColors>;
type Paint = (text: string) => string;
/** A piece of a line: its bare text, and how it is painted after it was cut to fit. */
type Piece = readonly [text: string, paint?: Paint];

const margin = ' ';
const gap = '   ';
const barWidth = 10;
/** Of an answer of DNS in characters: every slot's address. Lines do not depend on the answer, so that nothing jumps. */
const longestAnswer = '127.77.0.1 .2 .3 .4 .5 .6 .7 .8'.length;
/** Longest text of a step, in lines. */
const textLines = 2;
const maxEvents = 6;
/** For so many events the table gives up the empty line below it. */
const fewEvents = 2;

function compose(pieces: readonly Piece[], columns: number): string {
  let left = columns;
  return pieces
    .map(([text, paint]) => {
      const shown = text.slice(0, Math.max(0, left));
      left -= shown.length;
      return paint && shown.trim() !== '' ? paint(shown) : shown;
    })
    .join('')
    .trimEnd();
}

/** Breaks a text at spaces into lines of at most `width`, always `count` of them, so that the frame keeps its height. */
function wrap(text: string, width: number, count: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return Array.from({ length: Math.max(count, lines.length) }, (_, n) => lines[n] ?? '');
}

function clockOf(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A weight as a bar; any weight above 0 shows something. */
function bar(weight: number, max: number): string {
  const filled = weight <= 0 ? 0 : Math.max(1, Math.min(barWidth, Math.round((weight / max) * barWidth)));
  return '█'.repeat(filled) + '·'.repeat(barWidth - filled);
}

function header({ parts, elapsedSeconds }: View, columns: number, c: Colors): string {
  const pieces: Piece[] = [[margin], ['hsdo', c.bold]];
  for (const { name, state, isFine } of parts) {
    pieces.push(['  '], ['● ', isFine ? c.green : c.yellow], [`${name} `], [state, c.dim]);
  }
  const used = pieces.reduce((sum, [text]) => sum + text.length, 0);
  const time = clockOf(elapsedSeconds);
  return compose([...pieces, [' '.repeat(Math.max(2, columns - used - time.length - 1))], [time, c.dim]], columns);
}

const marks: Readonly<Record<StepState, string>> = { passed: '✓', running: '●', ahead: '·', failed: '✗' };

function progress({ steps, title }: View, columns: number, c: Colors): string {
  const paints: Readonly<Record<StepState, Paint>> = { passed: c.green, running: c.cyan, ahead: c.dim, failed: c.red };
  const pieces = steps.map((step): Piece => [`${marks[step]} `, paints[step]]);
  return compose([[margin], ...pieces, [' '], [title, c.bold]], columns);
}

const states: Readonly<Record<Row['state'], string>> = {
  free: 'free',
  joining: 'checking',
  up: 'up',
  down: 'down',
  draining: 'draining',
  maint: 'maint',
  unknown: '?',
};

function tableLine(row: BusyRow, maxWeight: number, columns: number, c: Colors): string {
  const paints: Readonly<Record<Row['state'], Paint>> = {
    free: c.dim,
    joining: c.cyan,
    up: c.green,
    down: c.red,
    draining: c.yellow,
    maint: c.yellow,
    unknown: c.yellow,
  };
  const paint = paints[row.state];
  const isFree = row.state === 'free';
  const cells: Piece[] = [
    [margin],
    [String(row.index).padStart(4), isFree ? c.dim : undefined] as Piece,
    ['  '],
    [row.target.padEnd(8), isFree ? c.dim : c.bold],
    [row.address.padEnd(18)],
    [isFree ? states.free : states[row.state].padEnd(10), paint],
  ];
  if (isFree) return compose(cells, columns);
  const rate = row.requestsPerSecond === 0 ? '-' : String(row.requestsPerSecond);
  cells.push([bar(row.weight, maxWeight), paint], [String(row.weight).padStart(4)], [rate.padStart(12)]);
  return compose(cells, columns);
}

function totals({ served, failed, requestsPerSecond }: View, columns: number, c: Colors): string {
  return compose(
    [
      [margin],
      ['served ', c.dim],
      [served.toLocaleString('en-US'), c.bold],
      ['   failed ', c.dim],
      [String(failed), (text) => c.bold(failed === 0 ? c.green(text) : c.red(text))],
      ['   requests/s ', c.dim],
      [String(requestsPerSecond), c.bold],
    ],
    columns,
  );
}

/** The command to copy, and the answer, which gets a line of its own where half of it would have to go: half an answer is a lie. */
function dnsLines({ names: { command, addresses } }: View, columns: number, c: Colors): readonly string[] {
  const answer: Piece =
    addresses === undefined
      ? ['no answer', c.yellow]
      : addresses.length === 0
        ? ['no address', c.dim]
        : [shortAddresses(addresses), c.bold];
  if (margin.length + command.length + gap.length + longestAnswer <= columns)
    return [compose([[margin], [command], [gap], answer], columns)];
  return [compose([[margin], [command]], columns), compose([[margin], [gap], answer], columns)];
}

function tableHead(columns: number, c: Colors): string {
  const names = `${margin}${'slot'.padStart(4)}  ${'target'.padEnd(8)}${'address'.padEnd(18)}${'HAProxy'.padEnd(10)}${'weight'.padEnd(14)}${'requests/s'.padStart(12)}`;
  return compose([[names, c.dim]], columns);
}

/**
 * The lines of one frame, each at most `columns` wide and at most `rows` of them. What matters least goes first when
 * there is little room: empty lines, hints, events.
 */
export function renderFrame(view: View, { columns, rows, hasColor }: ScreenSize): readonly string[] {
  const c = pc.createColors(hasColor);
  const label = Math.max(0, ...view.hints.map(([name]) => name.length)) + 2;
  const events = view.events.map((event) => compose([[margin], [`- ${event}`, c.dim]], columns));
  const hints = view.hints.map(([name, what]) => compose([[margin], [name.padEnd(label), c.dim], [what]], columns));
  const above = [
    header(view, columns, c),
    '',
    progress(view, columns, c),
    ...wrap(view.text, columns - 2, textLines).map((line) => compose([[margin], [line]], columns)),
    '',
    tableHead(columns, c),
    ...view.rows.map((row) => tableLine(row, view.maxWeight, columns, c)),
  ];
  const below = [totals(view, columns, c), ...dnsLines(view, columns, c)];
  const isTight = rows < above.length + 1 + below.length + fewEvents + hints.length;
  const core = [...above, ...(isTight ? [] : ['']), ...below];
  const room = rows - core.length;
  // The first hints are the ones to try; the last events come before the last hints.
  const shownHints = hints.slice(0, Math.max(0, room - fewEvents));
  const left = room - shownHints.length;
  // Around the events, where there is more room than they need.
  const air = left > maxEvents + 1 ? [''] : [];
  const eventRoom = Math.min(maxEvents, left);
  const shownEvents = eventRoom > 0 ? events.slice(-eventRoom) : [];
  const padding = Array.from({ length: Math.max(0, eventRoom - shownEvents.length) }, () => '');
  const lines = [...core, ...air, ...shownEvents, ...padding, ...air, ...shownHints];
  return lines.slice(0, rows);
}
