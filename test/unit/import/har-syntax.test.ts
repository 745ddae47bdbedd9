import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHar } from '../../../src/import/har-syntax.ts';

const faultOf = (text: string) => {
  const [fault] = parseHar('har.conf', text).faults;
  return fault && `${fault.place}: ${fault.expected}`;
};

describe("har's syntax", () => {
  it('has comments of three kinds, words, texts in either quotes, lists and titled sections', () => {
    const text = `# one
// two
/* three
   lines */
nameservers = { 192.0.2.1, "192.0.2.2" }
nameservers += { '::1' }
resolver_timeout = 0.5
name "a.example" { candidate b { check_address = http://b/x } # here
  candidate 'c d' { check_address = "x\\x41\\t\\"\\101" }
  check_frequency = 5 check_frequency = 6
}`;
    const { root, faults, placeOf } = parseHar('har.conf', text);
    expect(faults).toEqual([]);
    expect(root).toEqual({
      nameservers: ['192.0.2.1', '192.0.2.2', '::1'],
      resolver_timeout: '0.5',
      name: [
        {
          title: 'a.example',
          check_frequency: '6',
          candidate: [
            { title: 'b', check_address: 'http://b/x' },
            { title: 'c d', check_address: 'xA\t"A' },
          ],
        },
      ],
    });
    expect(placeOf(['name', 0, 'candidate', 1, 'check_address'])).toBe('har.conf:9');
    expect(placeOf(['name', 0, 'no_such'])).toBe('har.conf:8');
  });

  it('says with its line what is broken, and believes nothing of such a file', () => {
    expect(faultOf('name a {\n candidate b {\n')).toBe('har.conf:3: expected an option, or } at the end of candidate');
    expect(faultOf('\nname a { x = "abc\n}')).toBe('har.conf:2: expected the same quote at the end of this text');
    expect(faultOf('name {')).toBe('har.conf:1: expected name TITLE { ... }');
    expect(faultOf('a = { 1, 2')).toBe('har.conf:1: expected } at the end of the list');
    expect(faultOf('a = }')).toBe('har.conf:1: expected a value');
    expect(faultOf('/* a')).toBe('har.conf:1: expected */ at the end of this comment');
    expect(faultOf('include("other.conf")')).toBe('har.conf:1: expected no "(" here');
    expect(faultOf('a = 1\nname b {}\nname b {}')).toBe('har.conf:3: expected each name once');
    expect(faultOf('data_file = "$' + '{HOME}/x"')).toContain('what the environment of har holds is not known here');
    expect(parseHar('har.conf', 'a = 1 }').root).toEqual({});
  });

  it('never throws and never hangs, whatever it is given', () => {
    const pieces = fc.constantFrom(
      'name',
      'candidate',
      'a',
      '{',
      '}',
      '=',
      '+=',
      ',',
      '"',
      "'",
      '\\',
      '/*',
      '*/',
      '#',
      '//',
      '\n',
      ' ',
      '__proto__',
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 40 }).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { root, faults } = parseHar('har.conf', text);
        if (faults.length > 0) expect(root).toEqual({});
      }),
      { numRuns: 500 },
    );
  });

  it('reads back what is written in it', () => {
    const word = fc.stringMatching(/^[a-z0-9.:/_-]{1,12}$/).filter((one) => !one.startsWith('//') && one !== 'name');
    const option = fc.tuple(
      word,
      fc.string({ maxLength: 12 }).filter((value) => !/[$\\"\0]/.test(value)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(option, { selector: ([key]) => key, maxLength: 5 }), (options) => {
        const text = options.map(([key, value]) => `${key} = "${value}"`).join('\n');
        expect(parseHar('har.conf', text)).toMatchObject({ faults: [], root: Object.fromEntries(options) });
      }),
    );
  });
});
