import { nobodyMoved, seating } from './expect.ts';
import type { Stage } from './stage.ts';
import { add, allServe, reload, remove } from './story.ts';

const fewest = 4;

/** One small change, chosen at random and verified like the story's. */
export async function changeSomething(stage: Stage, random: () => number = Math.random): Promise<void> {
  const listed = stage.targets.listed();
  const absent = stage.targets.all.filter(({ name }) => !listed.includes(name));
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const before = seating(await stage.until(allServe(stage)));
  const dice = random();
  const [joining, leaving] = [pick(absent), pick(listed)];
  if (dice < 0.2) {
    stage.say('HAProxy is reloaded under load.');
    await reload(stage);
  } else if (joining && (dice < 0.6 || listed.length <= fewest)) {
    stage.say(`${joining.name} is listed in the source.`);
    await add(stage, joining);
    await stage.until(allServe(stage));
  } else if (leaving) {
    stage.say(`${leaving} leaves the source; its slot drains, then it is free.`);
    await remove(stage, stage.targets.named(leaving), before);
  }
  await stage.until(nobodyMoved(before));
}
