import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScreen } from '../../../src/redis/screen.ts';

/** What the screen says of a text that comes in pieces of the given length. */
function look(text: string, pieceLength = text.length): string | undefined {
  const screen = createScreen();
  let fault: string | undefined;
  for (let at = 0; at < text.length; at += Math.max(1, pieceLength)) {
    fault ??= screen.look(Buffer.from(text.slice(at, at + Math.max(1, pieceLength)), 'latin1'));
  }
  return fault;
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

describe('the screen before what Redis answers', () => {
  it('lets honest answers through', () => {
    const replica = `*3\r\n${bulk('10.0.0.2')}${bulk('6379')}${bulk('3129242')}`;
    const honest = [
      `*2\r\n${bulk('10.0.0.1')}${bulk('26379')}`,
      '+OK 3 usable Sentinels. Quorum and failover authorization can be reached\r\n',
      '-ERR AUTH <password> called without any password configured for the default user. Are you sure?\r\n',
      '-NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority and authorize a failover\r\n',
      `*3\r\n${bulk('master')}:4294967296000\r\n*900\r\n${replica.repeat(900)}`,
      `*3\r\n${bulk('message')}${bulk('+switch-master')}${bulk('mymaster 10.0.0.1 6379 10.0.0.2 6379')}`,
    ];
    for (const answer of honest) for (const piece of [1, 7, answer.length]) expect(look(answer, piece)).toBeUndefined();
  });

  it('stops a list that claims more than any answer has, however it is cut up and wherever it stands', () => {
    for (const mark of '*~%>') {
      fc.assert(
        fc.property(
          fc.integer({ min: 1001, max: 2 ** 32 - 1 }),
          fc.string({ maxLength: 20, unit: fc.constantFrom('a', '*', '\r', '\n', '$', '0', '9') }),
          fc.integer({ min: 1, max: 12 }),
          (claim, before, piece) => {
            expect(look(`${before}${mark}${claim}\r\n`, piece)).toMatch(/more/);
          },
        ),
      );
    }
  });

  it('counts as the library counts: digits need not be digits, and zeros may lead', () => {
    expect(look('*00000032000000\r\n')).toMatch(/a list of more than 1000/);
    // 78 * 10 ** 5 and so on: the library takes any byte for a digit.
    expect(look('*~~~~~~\r\n')).toMatch(/a list of more than 1000/);
  });

  it('stops what does not end', () => {
    expect(look('x'.repeat(65_536))).toBeUndefined();
    expect(look('x'.repeat(65_537), 1000)).toBe('more than 65536 bytes');
  });
});
