/** One server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * Makes events out of the pieces in which a stream arrives (HTML Living Standard, section 9.2.6). An event is handed on when
 * its blank line has come; what is neither `event` nor `data` is of no use here.
 */
export function createEventReader(): (piece: string) => readonly StreamEvent[] {
  let rest = '';
  let event = '';
  let data: string[] = [];

  const takeLine = (line: string): readonly StreamEvent[] => {
    if (line === '') {
      const whole = data.length === 0 ? [] : [{ event: event || 'message', data: data.join('\n') }];
      [event, data] = ['', []];
      return whole;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
    return [];
  };

  return (piece) => {
    rest += piece;
    // A carriage return at the very end may be the first half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    return lines.flatMap(takeLine);
  };
}
