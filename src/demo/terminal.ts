import pc from 'picocolors';
import { renderFrame } from './screen.ts';
import type { View } from './view.ts';

/** Where a person sees the demo: a frame that is redrawn, or one line for each event. */
export interface Terminal {
  /** A new picture; drawn only on a terminal. */
  show(view: View): void;
  /** Something happened; written only where there is no picture. */
  tell(line: string): void;
  /** Leaves the last picture where it is and gives the cursor back. */
  close(): void;
}

type Output = NodeJS.WriteStream;

const csi = '\u001b[';
const hideCursor = `${csi}?25l`;
const showCursor = `${csi}?25h`;
const eraseToEndOfLine = `${csi}K`;
const eraseBelow = `${csi}J`;
const clearAll = `${csi}2J${csi}H`;

/** Colours by NO_COLOR (no-color.org) and FORCE_COLOR, as picocolors decides; a pipe gets none. */
const hasColor = (output: Output) => output.isTTY === true && pc.isColorSupported;

function createScreen(output: Output): Terminal {
  let height = 0;
  let latest: View | undefined;
  const draw = (view: View, before: string) => {
    // The last row stays empty: a line end there would scroll the picture away.
    const size = { columns: output.columns || 80, rows: (output.rows || 24) - 1, hasColor: hasColor(output) };
    const lines = renderFrame(view, size).map((line) => `${line}${eraseToEndOfLine}\n`);
    output.write(`${before}\r${lines.join('')}${eraseBelow}`);
    height = lines.length;
  };
  const onResize = () => {
    if (latest) draw(latest, clearAll);
  };
  // Wrapped or cut lines of the old width cannot be found again, so the picture starts anew.
  output.on('resize', onResize);
  output.write(hideCursor);
  return {
    show(view) {
      latest = view;
      draw(view, height > 0 ? `${csi}${height}A` : '');
    },
    tell() {},
    close() {
      output.off('resize', onResize);
      output.write(showCursor);
    },
  };
}

function createLines(output: Output): Terminal {
  return {
    show() {},
    tell(line) {
      output.write(`${line}\n`);
    },
    close() {},
  };
}

/** A picture on a terminal; plain lines without escape codes in a pipe or a dumb terminal. */
export function openTerminal(output: Output, env: NodeJS.ProcessEnv): Terminal {
  return output.isTTY === true && env['TERM'] !== 'dumb' ? createScreen(output) : createLines(output);
}
