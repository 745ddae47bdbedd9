import {
  drains,
  every,
  haproxyUnchanged,
  isDown,
  isFree,
  isLed,
  namesAgree,
  nobodyMoved,
  type Seating,
  seating,
  serves,
} from './expect.ts';
import { drainSeconds, fullWeight } from './settings.ts';
import { find } from './sight.ts';
import { disappointed, type Stage } from './stage.ts';
import type { DemoTarget } from './targets.ts';

export interface Step {
  readonly title: string;
  /** What happens and why it matters. */
  readonly text: string;
  /** Does it and verifies it; throws when it did not come out so. */
  readonly play: (stage: Stage) => Promise<void>;
}

/** Puts exactly these into the source; who is new may be answered from now on. */
export async function list({ targets }: Stage, names: readonly string[]): Promise<void> {
  for (const name of names) targets.setMayServe(name, true);
  await targets.list(names);
}

export const add = (stage: Stage, ...added: readonly DemoTarget[]) =>
  list(stage, [...stage.targets.listed(), ...added.map(({ name }) => name)]);

/** Everybody in the source serves, and whoever asks DNS finds them. */
export const allServe = (stage: Stage, options: { readonly atFullWeight?: boolean } = {}) =>
  every(...stage.targets.listed().map((name) => serves(stage.targets.named(name), options)), namesAgree);

/** Waits until each of these has answered requests that it had not answered before. */
async function eachAnswers(stage: Stage, targets: readonly DemoTarget[]): Promise<void> {
  const before = targets.map((target) => target.requests());
  await stage.until(() => {
    const silent = targets.find((target, n) => target.requests() <= (before[n] ?? 0));
    return silent && `${silent.name} gets no requests`;
  });
}

async function arrive(stage: Stage): Promise<void> {
  const four = [1, 2, 3, 4].map((n) => stage.target(n));
  await add(stage, ...four);
  await stage.until(every(isLed(), allServe(stage, { atFullWeight: true })));
  stage.startLoad();
  await eachAnswers(stage, four);
}

async function grow(stage: Stage): Promise<void> {
  const before = seating(await stage.look());
  const two = [5, 6].map((n) => stage.target(n));
  const seen = new Set<number>();
  await add(stage, ...two);
  await stage.until((sight) => {
    const server = find(sight, two[0]?.name ?? '')?.server;
    if (server?.admin === 'ready' && server.isUp) seen.add(server.weight);
    return every(nobodyMoved(before), allServe(stage, { atFullWeight: true }))(sight);
  });
  const steps = [...seen].filter((weight) => weight < fullWeight);
  if (steps.length === 0) throw disappointed(`web-5 began with weight ${fullWeight}, expected a ramp`);
  await eachAnswers(stage, two);
}

/** Takes a target out of the source and waits until its slot is free, and it is silent. Gives the slot. */
export async function remove(stage: Stage, leaving: DemoTarget, before: Seating): Promise<number> {
  const slot = before.get(leaving.name) ?? 0;
  await stage.targets.list(stage.targets.listed().filter((name) => name !== leaving.name));
  await stage.until(every(drains(leaving), nobodyMoved(before)));
  await stage.until(every(isFree(slot), allServe(stage), nobodyMoved(before)), { seconds: drainSeconds + 10 });
  stage.targets.setMayServe(leaving.name, false);
  return slot;
}

async function leave(stage: Stage): Promise<void> {
  const leaving = stage.target(3);
  await remove(stage, leaving, seating(await stage.look()));
  const requests = leaving.requests();
  await stage.beat();
  if (leaving.requests() !== requests) throw disappointed('web-3 got requests after its slot was free');
}

/** A known target comes back and gets the slot that it had. */
export async function comeBack(stage: Stage, returning: DemoTarget, slot: number): Promise<void> {
  await add(stage, returning);
  const sight = await stage.until(allServe(stage));
  const index = find(sight, returning.name)?.slot.index;
  if (index !== slot) throw disappointed(`${returning.name} came back to slot ${index}, expected ${slot}`);
}

async function comesBack(stage: Stage): Promise<void> {
  const before = seating(await stage.look());
  const vacant = stage.last().api?.slots.find(({ index }) => index === 3 && ![...before.values()].includes(index));
  if (!vacant) throw disappointed('slot 3 is not free');
  await comeBack(stage, stage.target(3), 3);
  await stage.until(nobodyMoved(before));
  await eachAnswers(stage, [stage.target(3)]);
}

async function die(stage: Stage): Promise<void> {
  const victim = stage.target(2);
  const before = seating(await stage.look());
  victim.crash();
  await stage.until(every(isDown(victim), namesAgree, nobodyMoved(before)));
  stage.say(
    'HAProxy has web-2 down, DNS names it no more. Its slot stays its own: only the source may take it. Now it is repaired.',
  );
  await stage.beat();
  await victim.repair();
  await stage.until(every(allServe(stage), nobodyMoved(before)));
  await eachAnswers(stage, [victim]);
}

/** Reloads HAProxy; the first thing that the new worker says must already be right. */
export async function reload(stage: Stage): Promise<void> {
  // The state file is a look behind HAProxy: whoever came up this very moment is still checked first after a reload.
  const before = await stage.holds(haproxyUnchanged(await stage.until(allServe(stage))), 1);
  stage.world.reload();
  const after = await stage.until(({ haproxy }) => {
    if (!haproxy) return 'HAProxy does not answer on its socket';
    return haproxy.workerPid === before.haproxy?.workerPid ? 'the old worker still answers' : undefined;
  });
  const complaint = haproxyUnchanged(before)(after);
  if (complaint !== undefined) throw disappointed(`The new worker did not start as the old one was. ${complaint}`);
  await stage.holds(haproxyUnchanged(before), 1);
  await stage.until(allServe(stage));
}

async function emptySource(stage: Stage): Promise<void> {
  const names = stage.targets.listed();
  const before = await stage.until(allServe(stage));
  await stage.targets.list([]);
  await stage.until(({ api }) => {
    const missing = names.find((name) => !api?.held.includes(name));
    return missing && `the guard does not hold ${missing}`;
  });
  stage.say(
    `The guard holds all ${names.length} and says so. In an hour of need: hsdo release. Now the file is restored.`,
  );
  await stage.holds(every(haproxyUnchanged(before), namesAgree), 1);
  await stage.beat();
  await stage.targets.list(names);
  await stage.until(({ api }) => ((api?.held.length ?? 1) > 0 ? 'the guard still holds' : undefined));
  await stage.until(every(allServe(stage), nobodyMoved(seating(before))));
}

async function notReady(stage: Stage): Promise<void> {
  const late = stage.target(7);
  late.setReady(false);
  await stage.targets.list([...stage.targets.listed(), late.name]);
  await stage.until(every(isDown(late), namesAgree));
  await stage.holds(every(isDown(late), namesAgree), 1);
  await stage.beat();
  if (late.requests() > 0) throw disappointed(`web-7 was not ready and got ${late.requests()} requests`);
  stage.say('0 requests so far. Now web-7 says that it is ready, and its share grows.');
  stage.targets.setMayServe(late.name, true);
  late.setReady(true);
  await stage.until(allServe(stage, { atFullWeight: true }));
  await eachAnswers(stage, [late]);
}

async function loseServer(stage: Stage): Promise<void> {
  const before = await stage.until(allServe(stage, { atFullWeight: true }));
  const served = stage.served();
  stage.world.killServer();
  await stage.until(({ api }) => (api ? 'the API of the killed server answers' : undefined));
  await stage.holds(every(haproxyUnchanged(before), namesAgree), 1);
  await stage.beat();
  if (stage.served() <= served) throw disappointed('nothing was served while the server was away');
  stage.say(
    'Requests go on as if nothing had happened, and DNS answers. Now it starts again, and leads once the old lease has run out.',
  );
  stage.world.startServer();
  await stage.until(isLed(before.api?.epoch ?? 0));
  await stage.until(every(allServe(stage), nobodyMoved(seating(before)), haproxyUnchanged(before)));
}

/** The story that the demo tells, in order. */
export const story: readonly Step[] = [
  {
    title: 'Four targets arrive',
    text: 'The source now lists web-1 to web-4. Each gets a slot of its own, HAProxy sends it requests, DNS names it.',
    play: arrive,
  },
  {
    title: 'Two more arrive',
    text: 'web-5 and web-6 join with a small weight that grows every second, so that a cold target is not flooded.',
    play: grow,
  },
  {
    title: 'One leaves',
    text: `web-3 is gone from the source. Its slot drains for ${drainSeconds} s, then it is free. Nobody else moves.`,
    play: leave,
  },
  {
    title: 'It comes back',
    text: 'web-3 returns and gets its old slot: with consistent hashing, all its keys come back to it.',
    play: comesBack,
  },
  {
    title: 'One dies without notice',
    text: 'web-2 resets its connections and closes its port. HAProxy repeats those requests elsewhere and takes it out. DNS drops it, too.',
    play: die,
  },
  {
    title: 'HAProxy is reloaded under load',
    text: 'A reload forgets all that was set at run time. The state file that hsdo keeps puts every target back at once.',
    play: reload,
  },
  {
    title: 'The source is emptied by mistake',
    text: 'Somebody saves an empty list. hsdo does not believe at once that everybody left, and removes nobody.',
    play: emptySource,
  },
  {
    title: 'A target appears before it is ready',
    text: 'web-7 is listed, but its health check answers 503. It has a slot, but no request and no place in DNS yet.',
    play: notReady,
  },
  {
    title: 'The hsdo server is killed',
    text: 'SIGKILL, no goodbye. HAProxy, and the hsdo client beside it that answers DNS, need no server to keep what they have.',
    play: loseServer,
  },
];
