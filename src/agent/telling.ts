import type { Log } from '../telemetry/log.ts';

/** Says each thing once. */
export interface Telling {
  tell(reason: string, fields: Record<string, unknown>): void;
}

const mostReasons = 100;

/** Warns of every reason the first time it comes up. After a hundred different ones it says that there are more, and no more. */
export function createTelling(log: Log, message: string, always: Record<string, unknown>): Telling {
  const told = new Set<string>();
  return {
    tell(reason, fields) {
      if (told.has(reason) || told.size > mostReasons) return;
      told.add(reason);
      if (told.size > mostReasons) log.warn(always, `${message} for further reasons, which are not told`);
      else log.warn({ ...always, ...fields, reason }, message);
    },
  };
}
