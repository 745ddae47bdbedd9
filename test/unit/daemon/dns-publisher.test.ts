import { describe, expect, it } from 'vitest';
import { createDnsPublisher } from '../../../src/daemon/dns/dns-publisher.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

function setUp() {
  const clock = createFakeClock();
  const published: string[][] = [];
  const stop = new AbortController();
  const publisher = createDnsPublisher({
    compile: (key) => new TextEncoder().encode(key),
    publish: (parts) => void published.push(parts.map((part) => new TextDecoder().decode(part))),
    clock,
  });
  const running = publisher.run(stop.signal);
  return {
    clock,
    publisher,
    published,
    async end() {
      stop.abort(new Error('the test is over'));
      await running;
    },
  };
}

describe('what brings chapters to the thread that answers', () => {
  it('makes what changed, at once, and several changes of one as one', async () => {
    const { publisher, published, clock, end } = setUp();
    publisher.changed('web');
    publisher.changed('shop');
    publisher.changed('web');
    await clock.advance(0);
    expect(published).toEqual([['web', 'shop']]);
    publisher.changed('web');
    await clock.advance(0);
    expect(published.at(-1)).toEqual(['web']);
    await end();
  });

  it('lets others have their turn while much has changed, and leaves nothing out', async () => {
    const { publisher, published, clock, end } = setUp();
    const names = Array.from({ length: 250 }, (_, n) => `service-${n}`);
    for (const name of names) publisher.changed(name);
    await clock.advance(0);
    await clock.advance(0);
    await clock.advance(0);
    expect(published.map((parts) => parts.length)).toEqual([100, 100, 50]);
    expect(published.flat()).toEqual(names);
    await end();
  });

  it('ends when it is told to, with nothing to do as well', async () => {
    const { published, end } = setUp();
    await end();
    expect(published).toEqual([]);
  });
});
