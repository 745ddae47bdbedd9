import type { Config } from '../config/schema.ts';
import { accept } from '../discover/accept.ts';
import { createSource } from '../discover/sources.ts';
import { describeError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';
import { remedyOf } from './remedy.ts';

/** Every source, asked once. */
export function sourceExaminations({ services, aws }: Config, clock: Clock): readonly Examination[] {
  return services.flatMap(({ name, size, source }) =>
    source.map((config, n) => {
      const about = `source ${config.kind}${source.length > 1 ? ` (${n + 1})` : ''} of ${name}`;
      const remedy = `see to it that ${config.kind} can be asked from here`;
      return {
        about,
        remedy,
        async look(signal: AbortSignal) {
          try {
            const { targets, refusals } = accept(await createSource(config, { aws, clock }).discover(signal));
            return [countFinding(about, targets.length, size), ...refusals.slice(0, 5).map(refused(about))];
          } catch (error) {
            signal.throwIfAborted();
            const said = describeError(error);
            return [fault(about, said, remedyOf(said, remedy))];
          }
        },
      };
    }),
  );
}

function countFinding(about: string, targets: number, size: number): Finding {
  if (targets === 0) {
    return warning(
      about,
      'answers, and reports no targets',
      'start some, or look whether names, tags and groups are right',
    );
  }
  if (targets > size) {
    const says = `answers with ${targets} targets, but the list has ${size} slots`;
    return warning(
      about,
      says,
      'make the list longer (size, HAPROXY_BACKEND_SERVERS_LIST_SIZE), and the server-template with it',
    );
  }
  return ok(about, `answers with ${targets} target${targets === 1 ? '' : 's'}`);
}

const refused =
  (about: string) =>
  ({ name, reason }: { readonly name: string; readonly reason: string }): Finding =>
    warning(about, `${name} is left out: ${reason}`, 'correct it where it is registered');
