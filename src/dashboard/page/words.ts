import type { ServiceState } from '../../api/view.ts';
import type { ClusterEvent } from '../../model/event.ts';

// What figures are called when people read them. Nothing here knows of a page or of a clock.

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A time as people say it, in its largest unit: `12 s`, `3 min`, `2 d`. @param ms - Milliseconds; below zero counts as none. */
export function lasting(ms: number): string {
  const [unit, size] = units.find(([, one]) => ms >= one) ?? ['s', 1000];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/** How long ago something was: below two seconds it is not worth a number. */
export const since = (ms: number): string => (ms < 2000 ? 'just now' : `${lasting(ms)} ago`);

/** How long something took: below ten milliseconds with a tenth. */
export function taking(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}

/** A number as short as it can be said: `0.4`, `37`, `12.3k`. */
export function rate(value: number): string {
  if (value >= 1_000_000) return `${(value / 1_000_000).toFixed(1)}M`;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)}k`;
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toFixed(1)));
}

/** `1 target`, `2 targets`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Numbers in a row as people write them: `1, 4-6`. */
export function spans(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** How something stands: what it is coloured by, never what alone says it. */
export type Tone = 'good' | 'bad' | 'doubtful' | 'calm';

/** A service's state as a word and a tone. */
export const stateWords: Readonly<Record<ServiceState, readonly [string, Tone]>> = {
  ok: ['ok', 'good'],
  holding: ['holding', 'doubtful'],
  'no-quorum': ['no quorum', 'doubtful'],
  panic: ['panic', 'bad'],
  unpublished: ['not published yet', 'calm'],
  unknown: ['not known', 'doubtful'],
};

const eventTones: Readonly<Record<ClusterEvent['kind'], Tone>> = {
  'target-up': 'good',
  'target-down': 'bad',
  failover: 'doubtful',
  switchover: 'calm',
  switching: 'calm',
  'switchover-purged': 'calm',
  'service-up': 'good',
  'service-down': 'bad',
  'node-up': 'good',
  'node-down': 'bad',
  'new-leader': 'calm',
};

/** How an event is coloured. */
export const toneOf = ({ kind }: Pick<ClusterEvent, 'kind'>): Tone => eventTones[kind];

/** What happened, as one sentence without its reason. */
export function eventSentence(event: ClusterEvent): string {
  const { kind, service = 'the cluster', from, node = 'a node', by } = event;
  // Of a thousand that go down together some are named, and one more event stands for the others.
  const { target = 'nothing' } = event;
  const one = event.target === undefined ? `further targets of ${service} are` : `${target} of ${service} is`;
  const move = `${service} points at ${target}${from === undefined ? '' : `, no longer at ${from}`}`;
  const asked = by === undefined ? '' : ` (asked by ${by})`;
  const sentences: Readonly<Record<ClusterEvent['kind'], string>> = {
    'target-up': `${one} up`,
    'target-down': `${one} down`,
    failover: `Failover: ${move}`,
    switchover: `Switchover: ${move}${asked}`,
    switching: `Back to the preferred one: ${move}`,
    'switchover-purged': `The switchover of ${service} to ${target} has ended`,
    'service-up': `${service} is up`,
    'service-down': `${service} is down`,
    'node-up': `${node} is back`,
    'node-down': `${node} is silent`,
    'new-leader': `${node} leads`,
  };
  return sentences[kind];
}
