import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { startFault } from '../program/startable.ts';
import { type Examination, fault, ok } from './finding.ts';

const remedy = 'correct the path, or make the file executable for the user of hsdo (chmod +x)';

/** Executables of checks that servers run themselves: looked at, and not run, as they would need a target. */
export function checkExaminations({ services }: Config): readonly Examination[] {
  return services.flatMap(({ name, check, agents }): readonly Examination[] => {
    if (check?.kind !== 'exec' || agents?.only === true) return [];
    const about = `check exec of ${name}`;
    const look = async () => {
      for (const what of ['init', 'check'] as const) {
        const path = check[what];
        const reason = path === undefined ? undefined : await startFault(resolve(path));
        if (reason !== undefined) return [fault(about, `${what} "${resolve(path ?? '')}" ${reason}`, remedy)];
      }
      return [ok(about, 'can be started by this user')];
    };
    return [{ about, remedy, look }];
  });
}
