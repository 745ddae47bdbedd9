import type { Clock } from '../time/clock.ts';
import type { HistoryView, Pulse, TargetPulse } from './pulse.ts';

export const historyStepMs = 5000;
/** A quarter of an hour. */
const steps = 180;
/** About 5 MB; the targets above that number have no history. */
const mostTargets = 5000;

const letters = ['-', 'u', 'd'] as const;

/** For so long nothing is forgotten of a target that is not told of, as while a configuration is read anew: one minute. */
const missedSteps = 12;

interface Track {
  /** The step in which it was noted last. */
  notedAt: number;
  readonly health: Uint8Array;
  /** NaN where nothing was measured. */
  readonly totalMs: Float32Array;
}

/** What a process remembers of the last quarter of an hour, in rings of one size. */
export interface History {
  /** Takes in how things are; once a step is enough, and a second time in one step replaces the first. */
  note(pulse: Pulse): void;
  of(service: string): HistoryView;
  /** Queries a second, a number a step, the oldest first. */
  queries(): readonly (number | null)[];
}

const emptyTrack = (): Track => ({
  notedAt: 0,
  health: new Uint8Array(steps),
  totalMs: new Float32Array(steps).fill(Number.NaN),
});

const tenths = (value: number) => (Number.isNaN(value) ? null : Math.round(value * 10) / 10);

/** Nothing is known at first. */
export function createHistory(clock: Pick<Clock, 'now' | 'monotonic'>): History {
  const services = new Map<string, Map<string, Track>>();
  const queries = new Float32Array(steps).fill(Number.NaN);
  let [step, endAt, known] = [-1, 0, 0];

  const clear = (cell: number) => {
    queries[cell] = Number.NaN;
    for (const tracks of services.values()) {
      for (const track of tracks.values()) {
        track.health[cell] = 0;
        track.totalMs[cell] = Number.NaN;
      }
    }
  };
  /** Steps that nobody noted, as while the machine slept, are empty ones. */
  const advance = () => {
    const now = Math.floor(clock.monotonic() / historyStepMs);
    for (let next = Math.max(step + 1, now - steps + 1); next <= now; next += 1) clear(next % steps);
    step = now;
    endAt = clock.now();
  };
  const forget = (pulse: Pulse) => {
    for (const [name, tracks] of services) {
      const told = new Set(pulse.services.find((one) => one.name === name)?.targets.map(({ id }) => id));
      for (const [id, { notedAt }] of tracks)
        if (!told.has(id) && step - notedAt > missedSteps && tracks.delete(id)) known -= 1;
      if (tracks.size === 0) services.delete(name);
    }
  };
  const noteTarget = (tracks: Map<string, Track>, { id, health, totalMs }: TargetPulse) => {
    const track = tracks.get(id) ?? (known < mostTargets ? emptyTrack() : undefined);
    if (track === undefined) return;
    if (!tracks.has(id)) known += 1;
    tracks.set(id, track);
    track.notedAt = step;
    track.health[step % steps] = health === undefined ? 0 : health === 'up' ? 1 : 2;
    track.totalMs[step % steps] = totalMs ?? Number.NaN;
  };
  const inOrder = <T>(pick: (cell: number) => T) =>
    Array.from({ length: steps }, (_, n) => pick((Math.max(step, 0) + 1 + n) % steps));

  return {
    note(pulse) {
      advance();
      forget(pulse);
      queries[step % steps] = pulse.queriesPerSecond ?? Number.NaN;
      for (const { name, targets } of pulse.services) {
        const tracks = services.get(name) ?? new Map<string, Track>();
        services.set(name, tracks);
        for (const target of targets) noteTarget(tracks, target);
      }
    },
    of: (service) => ({
      stepMs: historyStepMs,
      endAt,
      targets: [...(services.get(service) ?? [])].map(([id, { health, totalMs }]) => ({
        id,
        health: inOrder((cell) => letters[health[cell] ?? 0]).join(''),
        totalMs: inOrder((cell) => tenths(totalMs[cell] ?? Number.NaN)),
      })),
    }),
    queries: () => inOrder((cell) => tenths(queries[cell] ?? Number.NaN)),
  };
}
