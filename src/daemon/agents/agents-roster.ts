import type { Task } from '../../agent/wire.ts';
import type { Target } from '../../model/target.ts';
import type { Clock } from '../../time/clock.ts';
import { type AgentChecked, agentPortOf, placeOf, taskOf } from './agents-tasks.ts';

/** The targets of one service as agents are told of them. */
export interface Roster {
  readonly checked: AgentChecked;
  /** The same object until the targets change. */
  targets(): readonly Target[];
  /** The one that agents name by this place. */
  find(address: string, port: number | null | undefined): Target | undefined;
  /** `undefined` while not every source was read, though not for ever: one that is away keeps nobody else unchecked. */
  tasks(): readonly Task[] | undefined;
  isComplete(): boolean;
  /** The sources report something else than before. */
  targetsChanged(): void;
}

interface Content {
  readonly targets: readonly Target[];
  readonly byPlace: ReadonlyMap<string, Target>;
  readonly tasks: readonly Task[];
  readonly isComplete: boolean;
}

/** Sources get this long for their first answer. */
const patienceMs = 30_000;

export function createRoster(checked: AgentChecked, clock: Clock): Roster {
  const startedAt = clock.monotonic();
  let content: Content | undefined;
  const look = (): Content => {
    // Putting the sources' answers together costs as much as they are long, and a report comes for each of them.
    if (content?.isComplete) return content;
    const { targets, complete } = checked.known();
    const places = targets.map((one) => [placeOf(one.address, agentPortOf(one, checked.service.check)), one] as const);
    const tasks = targets.map((target) => taskOf(checked, target));
    content = { targets, byPlace: new Map(places), tasks, isComplete: complete };
    return content;
  };
  return {
    checked,
    targets: () => look().targets,
    find: (address, port) => look().byPlace.get(placeOf(address, port)),
    tasks() {
      const { tasks, isComplete } = look();
      return isComplete || clock.monotonic() - startedAt >= patienceMs ? tasks : undefined;
    },
    isComplete: () => look().isComplete,
    targetsChanged() {
      content = undefined;
    },
  };
}
