import type { Events } from '../../publish/events.ts';
import type { Told } from '../../publish/events-told.ts';
import { withDeadline } from '../../time/deadline.ts';

interface Places {
  readonly told: Told;
  readonly events: Pick<Events, 'batch'>;
}

const deadlineMs = 5000;

/** The same places, where no call takes longer than a store may: one that hangs is `unavailable`. */
export function inTime({ told, events }: Places): Places {
  const ask = <T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) =>
    withDeadline('The store, asked what is to be told,', deadlineMs, signal, call);
  return {
    told: {
      load: (signal) => ask((inner) => told.load(inner), signal),
      cursor: (scope, signal) => ask((inner) => told.cursor(scope, inner), signal),
      save: (cursors, sentAt, term, signal) => ask((inner) => told.save(cursors, sentAt, term, inner), signal),
    },
    events: { batch: (scope, seq, signal) => ask((inner) => events.batch(scope, seq, inner), signal) },
  };
}
