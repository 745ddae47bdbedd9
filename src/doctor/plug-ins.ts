import { describeError } from '../model/error.ts';
import type { Verified } from '../model/verified.ts';
import type { Clock } from '../time/clock.ts';
import { withDeadline } from '../time/deadline.ts';
import { lookMs } from './examine.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';
import { hiding } from './hidden.ts';
import { isAboutCertificate, reachRemedyOf } from './remedy.ts';

/** One switcher or notifier, and what to do where it does not work. */
export interface PlugIn {
  readonly about: string;
  /** Its secrets stand there, which may not be told, and how much time it has when it counts. */
  readonly config: { readonly timeoutSeconds: number };
  readonly remedy: string;
  /** What to do about a certificate that is not believed. */
  readonly trust: string;
  /** What to do where nothing comes back in time. */
  readonly late: string;
  /** True where being slow is in order: then it is no fault to need more time than the doctor has. */
  readonly mayBeSlow: boolean;
}

export const lateRemedy = 'look at firewalls, security groups and routes between here and there, and at the other side';

/** So that this says what was too slow, and not whoever looks at everything. */
const mostMs = lookMs - 250;

/**
 * Asks a plug-in something that ends with a finding or more; what it throws is a fault, with the remedy that fits best. No
 * secret of it gets into a finding.
 *
 * @param ask - Tells each finding at once, so that what was found before a failure is not lost.
 */
export function pluggedIn(
  plugIn: PlugIn,
  clock: Clock,
  ask: (tell: (finding: Finding) => void, signal: AbortSignal) => Promise<void>,
): Examination {
  const { about, config, remedy, trust } = plugIn;
  const hide = hiding(config);
  const limitMs = Math.min(mostMs, config.timeoutSeconds * 1000);
  const look = async (signal: AbortSignal): Promise<readonly Finding[]> => {
    const found: Finding[] = [];
    const tell = (finding: Finding) => found.push({ ...finding, says: hide(finding.says) });
    let isLate = false;
    try {
      await withDeadline(
        'it',
        limitMs,
        signal,
        (inner) => {
          inner.addEventListener('abort', () => (isLate = true), { once: true });
          return ask(tell, inner);
        },
        clock,
      );
      return found;
    } catch (error) {
      signal.throwIfAborted();
      if (isLate) return [...found, lateFinding(about, limitMs, plugIn)];
      const said = hide(describeError(error));
      return [...found, fault(about, said, reachRemedyOf(said) ?? (isAboutCertificate(said) ? trust : remedy))];
    }
  };
  return { about, remedy, look };
}

function lateFinding(about: string, limitMs: number, { config, late, mayBeSlow }: PlugIn): Finding {
  const timeoutMs = config.timeoutSeconds * 1000;
  const says = `did not answer in ${limitMs} ms`;
  if (!mayBeSlow || timeoutMs <= limitMs) return fault(about, says, late);
  return warning(about, `${says}, and longer is not waited here; it has ${timeoutMs} ms when it counts`, late);
}

/** What a plug-in found about itself. */
export const verifiedFinding = (about: string, { says, remedy }: Verified): Finding =>
  remedy === undefined ? ok(about, says) : warning(about, says, remedy);
