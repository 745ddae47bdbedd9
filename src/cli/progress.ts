/** How far a long work is, for the person who waits. */
export interface Progress {
  show(text: string): void;
  /** Takes away what was shown. */
  close(): void;
}

/** A line that is written over, on a terminal; nothing at all in a pipe, where it would only be in the way. */
export function openProgress(output: NodeJS.WriteStream): Progress {
  if (!output.isTTY || process.env['TERM'] === 'dumb') return { show() {}, close() {} };
  const clear = '\r\u001b[K';
  return {
    show: (text) => void output.write(`${clear}${text.slice(0, Math.max(1, (output.columns || 80) - 1))}`),
    close: () => void output.write(clear),
  };
}
