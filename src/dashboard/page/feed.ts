import type { Frame } from '../../api/live.ts';
import { pageClock } from '../../time/page-clock.ts';
import { createEventReader } from './event-stream.ts';
import { ask, refusalOf } from './session.ts';

/** How the page gets its news: `live` by a stream, `polling` by asking again and again, `lost` not at all, `locked` it needs a token. */
export type Connection = 'connecting' | 'live' | 'polling' | 'lost' | 'locked';

export interface FeedEvents {
  /** `isWhole` is the first of a connection; later ones leave out what has not changed. */
  onFrame(frame: Partial<Frame>, isWhole: boolean): void;
  onConnection(connection: Connection, why?: string): void;
}

/** A stream says something every second; one that is silent for so long is not believed to be alive. */
const silentMs = 5000;
const pollMs = 2000;
const firstPauseMs = 250;
const longestPauseMs = 5000;

/** Ends a signal when nothing has happened for `silentMs`. */
function createWatchdog(): { readonly signal: AbortSignal; readonly kick: () => void; readonly stop: () => void } {
  const controller = new AbortController();
  let round = new AbortController();
  const kick = () => {
    round.abort();
    round = new AbortController();
    const own = round.signal;
    pageClock.sleep(silentMs, own).then(
      () => controller.abort(new Error(`nothing came for ${silentMs / 1000} s`)),
      () => undefined,
    );
  };
  kick();
  return { signal: controller.signal, kick, stop: () => round.abort() };
}

/** Asks for everything, with one service in full. One that has left the configuration takes nothing of the others away. */
async function askWith(service: string | undefined, signal: AbortSignal, accept?: string): Promise<Response> {
  if (service === undefined) return ask('stream', signal, accept);
  const answer = await ask(`stream?service=${encodeURIComponent(service)}`, signal, accept);
  return answer.status === 404 ? ask('stream', signal, accept) : answer;
}

/**
 * Keeps the page told until the signal is aborted: by the stream; where that cannot be had although the API answers, by
 * asking; after a failure again, soon and then every few seconds.
 */
export async function follow(service: string | undefined, events: FeedEvents, signal: AbortSignal): Promise<void> {
  let pauseMs = firstPauseMs;
  const heard: FeedEvents = {
    ...events,
    onFrame(...frame) {
      pauseMs = firstPauseMs;
      events.onFrame(...frame);
    },
  };
  while (!signal.aborted) {
    try {
      const isLocked = await once(service, heard, signal);
      if (isLocked) return;
    } catch (error) {
      if (signal.aborted) return;
      events.onConnection('lost', error instanceof Error ? error.message : String(error));
    }
    await pageClock.sleep(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
}

/** One connection from its start to its end; true when the API wants a token first. */
async function once(service: string | undefined, events: FeedEvents, signal: AbortSignal): Promise<boolean> {
  const watchdog = createWatchdog();
  const either = AbortSignal.any([signal, watchdog.signal]);
  try {
    const answer = await askWith(service, either, 'text/event-stream');
    if (answer.status === 401) {
      events.onConnection('locked', await refusalOf(answer));
      return true;
    }
    const type = answer.headers.get('content-type') ?? '';
    if (answer.status === 503) return await poll(service, events, signal);
    if (!answer.ok) throw new Error(await refusalOf(answer));
    if (!type.startsWith('text/event-stream') || answer.body === null) return await poll(service, events, signal);
    await readAll(answer.body, events, watchdog.kick);
    return false;
  } finally {
    watchdog.stop();
  }
}

async function readAll(body: ReadableStream<Uint8Array>, events: FeedEvents, kick: () => void): Promise<void> {
  let isWhole = true;
  const [reader, decoder, take] = [body.getReader(), new TextDecoder(), createEventReader()];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream ended');
    kick();
    for (const { event, data } of take(decoder.decode(value, { stream: true }))) {
      if (event !== 'frame') continue;
      events.onConnection('live');
      events.onFrame(JSON.parse(data) as Partial<Frame>, isWhole);
      isWhole = false;
    }
  }
}

/** Asks until that fails, too; after half a minute the stream is tried again. */
async function poll(service: string | undefined, events: FeedEvents, signal: AbortSignal): Promise<boolean> {
  for (let round = 0; round < 15; round += 1) {
    const answer = await askWith(service, AbortSignal.any([signal, AbortSignal.timeout(silentMs)]));
    if (!answer.ok) throw new Error(await refusalOf(answer));
    events.onConnection('polling');
    events.onFrame((await answer.json()) as Frame, true);
    await pageClock.sleep(pollMs, signal);
  }
  return false;
}
