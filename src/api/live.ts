import type { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import type { answers } from './answers.ts';
import type { History } from './history.ts';
import type { View } from './view.ts';

/** Everything at once, for people who watch. */
export type Frame = z.output<(typeof answers)['Frame']>;

/** How often those who watch are told. */
const frameMs = 1000;
/** Viewers ask at moments of their own, and what they are shown is put together once for all of them. */
const sharedMs = 500;
/** A viewer is a connection that stays, so somebody who opens them without end must not get all there are. */
const mostViewers = 64;
const mostEvents = 100;

/** What is told to those who watch. */
export interface Live {
  /** Everything at this moment, with one service in full where it is named. */
  frame(service: string | undefined): Promise<Frame>;
  /**
   * The same as server-sent events (HTML Living Standard, section 9.2), one a second; after the first without the members
   * that have not changed. Whoever reads slowly gets fewer, never older ones. Throws `unavailable` when too many watch.
   */
  stream(service: string | undefined): ReadableStream<Uint8Array>;
  /** Ends all streams. */
  close(): void;
}

/** What several viewers may be shown: made anew when it is older than `sharedMs`. */
function shared<T>(clock: Clock, make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { readonly at: number; readonly made: Promise<T> }>();
  return (key) => {
    const now = clock.monotonic();
    for (const [other, { at }] of kept) if (now - at >= sharedMs) kept.delete(other);
    const one = kept.get(key) ?? { at: now, made: make(key) };
    kept.set(key, one);
    return one.made;
  };
}

/** What only servers know, or the store does not tell now, is left out: who watches keeps what was known before. */
function unlessUntold<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof HsdoError) return undefined;
    throw error;
  });
}

const encoder = new TextEncoder();
const eventOf = (data: unknown) => encoder.encode(`event: frame\ndata: ${JSON.stringify(data)}\n\n`);

export function createLive(parts: { readonly view: View; readonly clock: Clock; readonly history: History }): Live {
  const { view, clock, history } = parts;
  const viewers = new Set<AbortController>();
  let isClosed = false;

  const overall = shared(clock, async () => {
    const [status, cluster, nodes, events] = await Promise.all([
      view.status(),
      view.cluster(),
      unlessUntold(view.nodes()),
      unlessUntold(view.events({ limit: mostEvents })),
    ]);
    const { roles, lease, observers, services, dns } = status;
    return {
      cluster,
      roles,
      observers,
      services,
      ...(lease ? { lease } : {}),
      ...(nodes ? { nodes } : {}),
      ...(events ? { events } : {}),
      ...(dns ? { dns, dnsHistory: history.queries() } : {}),
    };
  });
  const inFull = shared(clock, async (name) => {
    const [service, slots] = await Promise.all([unlessUntold(view.service(name)), unlessUntold(view.slots(name))]);
    return { ...(service ? { service } : {}), ...(slots ? { slots } : {}), history: history.of(name) };
  });
  const frame = async (service: string | undefined) => {
    const [all, one] = await Promise.all([overall(''), service === undefined ? {} : inFull(service)]);
    return { at: clock.now(), ...all, ...one } as Frame;
  };

  return {
    frame,
    stream(service) {
      if (viewers.size >= mostViewers) {
        throw new HsdoError('unavailable', `Cannot show more: ${mostViewers} watch already; ask without a stream`);
      }
      const gone = new AbortController();
      const news = createNews();
      const leave = () => {
        viewers.delete(gone);
        gone.abort();
      };
      let nextAt = clock.monotonic();
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
        if (isClosed) return controller.close();
        try {
          // Whoever only asks for the header never reads, and never leaves either.
          viewers.add(gone);
          const restMs = nextAt - clock.monotonic();
          if (restMs > 0) await clock.sleep(restMs, gone.signal);
          nextAt = clock.monotonic() + frameMs;
          const full = await frame(service);
          if (!gone.signal.aborted) controller.enqueue(eventOf(news(full)));
        } catch (error) {
          leave();
          if (!isClosed) throw error;
          controller.close();
        }
      };
      return new ReadableStream<Uint8Array>({ pull, cancel: leave }, { highWaterMark: 0 });
    },
    close() {
      isClosed = true;
      for (const viewer of viewers) viewer.abort(new Error('the API is served anew'));
    },
  };
}

/** Leaves out of a frame what it told before. */
function createNews(): (full: Frame) => Partial<Frame> {
  const told = new Map<string, string>();
  return (full) => {
    const news = Object.entries(full).filter(([member, value]) => {
      const text = JSON.stringify(value);
      const isNew = told.get(member) !== text;
      told.set(member, text);
      return isNew;
    });
    return Object.fromEntries(news);
  };
}
