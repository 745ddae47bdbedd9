import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventReader } from '../../../src/dashboard/page/event-stream.ts';

const oneLine = fc.string().map((text) => text.replaceAll(/[\r\n]/g, ' '));
const event = fc.record({ event: fc.constantFrom('frame', 'tick'), data: fc.array(oneLine, { minLength: 1 }) });

describe('the reader of server-sent events', () => {
  it('reads the same events however the stream is cut, with every end of line that there is', () => {
    const cuts = fc.array(fc.nat(1000), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom('\n', '\r\n', '\r'), cuts, (events, end, places) => {
        const text = events
          .map((one) => [`event: ${one.event}`, ...one.data.map((line) => `data: ${line}`), '', ''].join(end))
          .join('');
        const at = [0, ...places.map((place) => place % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((to, index) => text.slice(at[index], to));
        const read = createEventReader();
        // A lone carriage return at the very end may be half of an end of line, so one more line settles it.
        const got = [...pieces, ':\n'].flatMap((piece) => [...read(piece)]);
        expect(got).toEqual(events.map((one) => ({ event: one.event, data: one.data.join('\n') })));
      }),
    );
  });

  it('passes over comments, other fields, and events without data', () => {
    const read = createEventReader();
    expect(read(': hello\nid: 1\nretry: 5\n\nevent: tick\n\ndata\n\n')).toEqual([{ event: 'message', data: '' }]);
    expect(read('data:a\ndata:  b\nda')).toEqual([]);
    expect(read('ta: c\n\n')).toEqual([{ event: 'message', data: 'a\n b\nc' }]);
  });
});
