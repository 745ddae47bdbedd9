import { describe, expect, it } from 'vitest';
import { eventSentence, lasting, rate, since, spans, taking } from '../../../src/dashboard/page/words.ts';
import { eventKinds } from '../../../src/model/event.ts';

describe('the words of the dashboard', () => {
  it('say a time in its largest unit', () => {
    const times = [-5, 0, 999, 12_345, 59_999, 60_000, 7_200_000, 200_000_000];
    expect(times.map(lasting)).toEqual(['0 s', '0 s', '0 s', '12 s', '59 s', '1 min', '2 h', '2 d']);
    expect([0, 1999, 2000].map(since)).toEqual(['just now', 'just now', '2 s ago']);
    expect([0.04, 1.26, 54.4, 1500].map(taking)).toEqual(['0 ms', '1.3 ms', '54 ms', '1.5 s']);
  });

  it('say a rate as short as it can be', () => {
    expect([0, 0.44, 9.96, 37.2, 9999, 12_345, 2_500_000].map(rate)).toEqual([
      '0',
      '0.4',
      '10',
      '37',
      '9999',
      '12.3k',
      '2.5M',
    ]);
  });

  it('say numbers in a row as spans', () => {
    expect(spans([])).toBe('');
    expect(spans([1, 4, 5, 6, 9])).toBe('1, 4-6, 9');
  });

  it('say every kind of event as a sentence', () => {
    const event = { id: '1', at: 1, service: 'web', target: 'b', from: 'a', node: 'n1', by: 'ann' };
    const sentences = eventKinds.map((kind) => eventSentence({ ...event, kind }));
    expect(new Set(sentences).size).toBe(eventKinds.length);
    expect(sentences.join('\n')).not.toMatch(/undefined|nothing/);
    const rest = { id: '1', at: 1, service: 'web', reason: '900 more at the same time' };
    expect(eventSentence({ ...rest, kind: 'target-down' })).toBe('further targets of web are down');
    expect(eventSentence({ ...rest, kind: 'target-up' })).toBe('further targets of web are up');
    // Purged, or over since its target went down: its reason says which.
    expect(eventSentence({ ...event, kind: 'switchover-purged' })).toBe('The switchover of web to b has ended');
    expect(eventSentence({ ...event, kind: 'switchover' })).toBe(
      'Switchover: web points at b, no longer at a (asked by ann)',
    );
  });
});
