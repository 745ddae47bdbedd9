import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { createHistory } from '../../../src/api/history.ts';
import { createLive, type Frame } from '../../../src/api/live.ts';
import type { View } from '../../../src/api/view.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { plainService, recordingView } from '../../fixtures/recording-view.ts';

const decoder = new TextDecoder();

function watch(fields: Partial<View> = {}) {
  const clock = createFakeClock();
  const { view } = recordingView(fields);
  const live = createLive({ view, clock, history: createHistory(clock) });
  const reader = () => {
    const one = live.stream(undefined).getReader();
    const next = async () => {
      const { value } = await one.read();
      const [, data = ''] = /^event: frame\ndata: (.*)\n\n$/.exec(decoder.decode(value)) ?? [];
      return JSON.parse(data) as Partial<Frame>;
    };
    return { next, cancel: () => one.cancel() };
  };
  return { clock, live, reader, view };
}

describe('what those who watch are told', () => {
  it('is everything at first, and then once a second what has changed', async () => {
    let revision = 1;
    const { view } = recordingView();
    const { reader, clock } = watch({
      status: async () => ({ ...(await view.status()), services: [{ ...plainService, revision }] }),
    });
    const { next, cancel } = reader();
    const first = await next();
    expect(Object.keys(first)).toEqual(expect.arrayContaining(['at', 'cluster', 'services', 'nodes', 'events']));
    const pending = next();
    revision = 2;
    await clock.advance(1000);
    const second = await pending;
    expect(second.services).toMatchObject([{ revision: 2 }]);
    expect(Object.keys(second).sort()).toEqual(['at', 'services']);
    await cancel();
  });

  it('is put together once for all who ask at the same time', async () => {
    let asked = 0;
    const { view } = recordingView();
    const { live } = watch({
      status: async () => {
        asked += 1;
        return view.status();
      },
    });
    await Promise.all([live.frame(undefined), live.frame(undefined), live.frame('web')]);
    expect(asked).toBe(1);
  });

  it('leaves out what only servers know, and what the store does not tell now', async () => {
    const refuse = async () => {
      throw new HsdoError('unavailable', 'away');
    };
    const { live } = watch({ nodes: refuse, events: refuse, service: refuse, slots: refuse });
    const frame = await live.frame('web');
    for (const untold of ['nodes', 'events', 'service', 'slots']) expect(frame).not.toHaveProperty(untold);
    expect(frame.services).toHaveLength(1);
  });

  it('is refused to the 65th, until somebody leaves; who only asks for the header does not count', async () => {
    const { live, reader } = watch();
    for (let n = 0; n < 100; n += 1) live.stream(undefined);
    const readers = Array.from({ length: 64 }, reader);
    await Promise.all(readers.map(({ next }) => next()));
    expect(() => live.stream(undefined)).toThrow('64 watch already');
    await readers[0]?.cancel();
    expect(() => live.stream(undefined)).not.toThrow();
  });

  it('ends with a reader whose process cannot answer, and the place is free again', async () => {
    const { reader, live } = watch({
      status: async () => {
        throw new Error('away');
      },
    });
    for (let n = 0; n < 70; n += 1) await expect(reader().next()).rejects.toThrow('away');
    expect(() => live.stream(undefined)).not.toThrow();
  });

  it('comes as events to who asks for them, as JSON to everybody else, and to nobody without a token', async () => {
    const { view } = recordingView();
    const app = createApp(view);
    const headers = { host: '127.0.0.1' };
    const plain = await app.request('/api/v1/stream', { headers });
    expect(await plain.json()).toMatchObject({ cluster: { name: 'hsdo' }, services: [{ name: 'web' }] });
    const events = await app.request('/api/v1/stream', { headers: { ...headers, accept: 'text/event-stream' } });
    expect(events.headers.get('content-type')).toBe('text/event-stream');
    expect(events.headers.get('cache-control')).toBe('no-store');
    await events.body?.cancel();
    const unknown = await app.request('/api/v1/stream?service=nosuch', { headers });
    expect(unknown.status).toBe(404);
    const foreign = await app.request('/api/v1/stream', { headers: { host: 'example.org' } });
    expect(foreign.status).toBe(403);
  });
});
