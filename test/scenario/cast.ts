import { serviceSchema } from '../../src/config/schema.ts';
import type { Sighting } from '../../src/discover/source.ts';
import { overrides, type Slot } from '../../src/model/slot.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { createRecordSnapshots } from '../../src/publish/record-snapshots.ts';
import { createRequests } from '../../src/publish/requests.ts';
import { createMemoryEngine, openMemoryStore } from '../../src/store/memory.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { createFakeClock } from '../fixtures/clock.ts';
import {
  type Fate,
  type NodeParts,
  newFate,
  type RunningClient,
  type RunningServer,
  startClient,
  startServer,
} from './node.ts';

const startAt = 1_700_000_000_000;
const ttlMs = 10_000;
const never = new AbortController().signal;

const addressOf = (name: string) => `10.0.0.${Number(name.replace(/\D/g, ''))}`;
const sightingsOf = (names: readonly string[]): readonly Sighting[] =>
  names.map((name) => ({ id: name, name, address: addressOf(name), group: 'web' }));

/** `1:t1*10 2:(t2) 3:- 4:t4*10!drain 5:t5*10~down`: weights after the star, brackets drain, a dash is free, a tilde is out. */
function showSlots(slots: readonly Slot[]): string {
  return slots
    .map((slot) => {
      if (slot.state === 'free') return `${slot.index}:-`;
      if (slot.state === 'draining') return `${slot.index}:(${slot.target.name})`;
      const out = slot.out === undefined ? '' : `~${slot.out}`;
      return `${slot.index}:${slot.target.name}*${slot.weight}${slot.override ? `!${slot.override}` : ''}${out}`;
    })
    .join(' ');
}

function showSnapshot(snapshot: Snapshot | undefined): string {
  if (!snapshot) return 'no list';
  const { revision, epoch, slots, unplaced, hold, panic, active } = snapshot;
  const extra = [
    ...(unplaced.length > 0 ? [`unplaced: ${unplaced.join(' ')}`] : []),
    ...(hold ? [`held: ${hold.targets.join(' ')}`] : []),
    ...(panic ? [`panic: serves ${panic.serves}`] : []),
    ...(active === undefined ? [] : [`active: ${active}`]),
  ];
  return [`revision ${revision}, epoch ${epoch}: ${showSlots(slots)}`, ...extra].join('; ');
}

function showEvent(fields: Readonly<Record<string, unknown>>, message: string): string | undefined {
  const { event, slot, target, from, to, state, epoch, holder, reason, failures } = fields;
  const text = (value: unknown) => String(value as string);
  if (message === 'leadership changes') {
    return `${text(state)}, epoch ${text(epoch)}${holder === undefined ? '' : `, holder ${text(holder)}`}`;
  }
  if (message !== 'slot')
    return `${message}${reason === undefined ? '' : `: ${text(reason)}`}${failures === undefined ? '' : ` after ${text(failures)}`}`;
  const change =
    to === undefined
      ? from === undefined
        ? ''
        : ` (${text(from)})`
      : from === undefined
        ? ` ${text(to)}`
        : ` ${text(from)} -> ${text(to)}`;
  return `${text(event)}${slot === undefined ? '' : ` slot ${text(slot)}`}${target === undefined ? '' : ` ${text(target)}`}${change}`;
}

interface Actor {
  readonly fate: Fate;
  server?: RunningServer;
  client?: RunningClient;
}

/** Everybody in one story, and the clock that they share. */
export function createCast() {
  const clock = createFakeClock(startAt);
  const engine = createMemoryEngine();
  const store = openMemoryStore(engine);
  const actors = new Map<string, Actor>();
  /** The source as everybody finds it who starts. */
  const source: Pick<Fate, 'isSourceAway' | 'sightings' | 'sick' | 'flaky'> = {
    isSourceAway: false,
    sightings: [],
    sick: new Set(),
    flaky: new Set(),
  };
  let settings: Record<string, unknown> = {};
  let wishes = 0;
  let legacy: Snapshot | undefined;
  let told: string[] = [];

  const logOf = (name: string, fate: Fate): Log => {
    const note = (fields: unknown, message?: string) => {
      if (fate.isGone) return;
      const event = showEvent(fields as Record<string, unknown>, message ?? '');
      told.push(`${Math.round((clock.now() - startAt) / 100) / 10}s ${name}: ${event}`);
    };
    return { debug() {}, info: note, warn: note, error: note } as Log;
  };
  const partsOf = (name: string, fate: Fate): NodeParts => ({
    name,
    clock,
    engine,
    fate,
    log: logOf(name, fate),
    ttlMs,
    service: serviceSchema.parse({ name: 'web', source: { kind: 'static', targets: [] }, ...settings }),
    legacy: () => legacy,
  });
  const actor = (name: string): Actor => {
    const found = actors.get(name);
    if (!found) throw new Error(`nobody in the story is called ${name}`);
    return found;
  };
  const settle = async () => {
    for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const read = () => createRecordSnapshots(store).read('web', never);
  const named = (names: readonly string[]) =>
    (names.length > 0 ? names : [...actors.keys()]).map((name) => actor(name));

  return {
    settings(next: Record<string, unknown>) {
      settings = { ...settings, ...next };
    },
    async start(name: string) {
      const before = actors.get(name);
      const fate = newFate(source);
      if (name.startsWith('client')) {
        const client = startClient(partsOf(name, fate), before?.client?.current());
        actors.set(name, { fate, client });
      } else actors.set(name, { fate, server: startServer(partsOf(name, fate)) });
      await settle();
    },
    async end(name: string, isClean: boolean) {
      await actor(name).server?.end(isClean);
      await actor(name).client?.end();
      await settle();
    },
    targets(names: readonly string[], of: readonly string[]) {
      if (of.length === 0) source.sightings = sightingsOf(names);
      for (const { fate } of named(of)) fate.sightings = sightingsOf(names);
    },
    ail(how: 'sick' | 'flaky', names: readonly string[], of: readonly string[]) {
      if (of.length === 0) source[how] = new Set(names);
      for (const { fate } of named(of)) fate[how] = new Set(names);
    },
    change(
      field: 'isStoreAway' | 'isSourceAway' | 'pausesInCommit' | 'isPaused',
      value: boolean,
      of: readonly string[],
    ) {
      if (field === 'isSourceAway' && of.length === 0) source.isSourceAway = value;
      for (const { fate } of named(of)) {
        fate[field] = value;
        if (field === 'isPaused' && !value) fate.wake();
      }
    },
    async advance(ms: number) {
      for (let passed = 0; passed < ms; passed += 100) {
        await clock.advance(100);
        await settle();
      }
    },
    async override(target: string, state: string) {
      const known = overrides.find((one) => one === state);
      await createRequests(store).override('web', target, known, 'story', clock.now(), never);
    },
    async switchover(target: string | undefined) {
      wishes += 1;
      await createRequests(store).switchover('web', `w${wishes}`, target, 'story', clock.now(), never);
    },
    async release() {
      const token = (await read())?.hold?.token ?? 'nothing';
      await createRequests(store).release('web', token, 'story', clock.now(), never);
    },
    /** A list as HSDO's table would give it: names for ids, no revision. */
    leave(names: readonly string[]) {
      const slots = names.map((name, n): Slot => {
        const target = { id: name, name, address: addressOf(name), group: 'web' };
        return name === '-'
          ? { state: 'free', index: n + 1 }
          : { state: 'taken', index: n + 1, target, joinedAt: startAt, weight: 10 };
      });
      legacy = { service: 'web', slots, unplaced: [], revision: 0, epoch: 0, publishedAt: 0 };
    },
    async show(): Promise<readonly string[]> {
      const leaders = [...actors].filter(([, { server }]) => server?.lease().state === 'leader').map(([name]) => name);
      const clients = [...actors].flatMap(([name, { client }]) =>
        client ? [`${name}: ${showSnapshot(client.current())}`] : [],
      );
      return [`leader: ${leaders.join(' ') || 'nobody'}`, `store: ${showSnapshot(await read())}`, ...clients];
    },
    /** What was logged since the last call. */
    told(): readonly string[] {
      const lines = told;
      told = [];
      return lines;
    },
    async close() {
      for (const { server, client } of actors.values()) {
        await server?.end(false);
        await client?.end();
      }
    },
  };
}

export type Cast = ReturnType<typeof createCast>;
