/** The terminal as `hsdo top` has it: a screen of its own, and keys without echo. */
export interface TopTerminal {
  size(): { readonly columns: number; readonly rows: number };
  /** Draws a whole picture over the last one, in one write, so that nothing flickers. */
  draw(lines: readonly string[]): void;
  /** Aborted when the person wants to leave, and by SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** Leaves the terminal as it was. */
  close(): void;
}

export type Key = 'up' | 'down' | 'quit';

export interface TopEars {
  onKey(key: 'up' | 'down'): void;
  onResize(): void;
}

const csi = '\u001b[';
/** The alternate screen keeps what stood there before (xterm control sequences, private mode 1049). */
const enter = `${csi}?1049h${csi}?25l${csi}2J`;
const leave = `${csi}?25h${csi}?1049l`;
const home = `${csi}H`;
const eraseToEndOfLine = `${csi}K`;
const eraseBelow = `${csi}J`;

const keys: Readonly<Record<string, Key>> = {
  q: 'quit',
  Q: 'quit',
  '\u0003': 'quit',
  '\u0004': 'quit',
  k: 'up',
  j: 'down',
  [`${csi}A`]: 'up',
  [`${csi}B`]: 'down',
  '\u001bOA': 'up',
  '\u001bOB': 'down',
};

/** A sequence of a key that sends several characters, or a single one. */
const keyPattern = /\p{Cc}(?:\[|O)[A-Za-z~0-9;]|[\s\S]/gu;

/** The keys in what a terminal sent at once; over a slow line several come together. */
export function keysIn(text: string): readonly Key[] {
  return (text.match(keyPattern) ?? []).flatMap((one) => keys[one] ?? []);
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Takes the terminal over. Both streams must be terminals. */
export function openTopTerminal(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  { onKey, onResize }: TopEars,
): TopTerminal {
  const ending = new AbortController();
  const end = () => ending.abort();
  const onData = (text: string) => {
    for (const key of keysIn(text)) {
      if (key === 'quit') end();
      else onKey(key);
    }
  };
  const resized = () => {
    output.write(`${csi}2J`);
    onResize();
  };
  input.setEncoding('utf8');
  input.setRawMode(true);
  input.on('data', onData);
  // A line that was cut: nobody reads any more.
  input.once('end', end);
  output.once('error', end);
  output.on('resize', resized);
  for (const name of signals) process.once(name, end);
  output.write(enter);
  return {
    size: () => ({ columns: output.columns || 80, rows: output.rows || 24 }),
    draw(lines) {
      output.write(`${home}${lines.map((line) => `${line}${eraseToEndOfLine}`).join('\r\n')}${eraseBelow}`);
    },
    signal: ending.signal,
    close() {
      for (const name of signals) process.off(name, end);
      output.off('resize', resized);
      input.off('data', onData);
      input.setRawMode(false);
      input.pause();
      output.write(leave);
    },
  };
}
