import { describeError } from '../model/error.ts';
import type { Verified } from '../model/verified.ts';
import { type Finding, fault, ok, warning } from './finding.ts';
import { hiding } from './hidden.ts';
import { isAboutCertificate, reachRemedyOf } from './remedy.ts';

/** One switcher or notifier, and what to do where it does not work. */
export interface PlugIn {
  readonly about: string;
  /** Where its secrets stand, which may not be told. */
  readonly config: unknown;
  readonly remedy: string;
  /** What to do about a certificate that is not believed. */
  readonly trust: string;
}

/** Asks it something; what it throws is a fault, with the remedy that fits best. No secret of it gets into a finding. */
export async function askPlugIn(
  { about, config, remedy, trust }: PlugIn,
  signal: AbortSignal,
  ask: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const hide = hiding(config);
  try {
    return (await ask()).map((finding) => ({ ...finding, says: hide(finding.says) }));
  } catch (error) {
    signal.throwIfAborted();
    const said = hide(describeError(error));
    return [fault(about, said, reachRemedyOf(said) ?? (isAboutCertificate(said) ? trust : remedy))];
  }
}

/** What a plug-in found about itself. */
export const verifiedFinding = (about: string, { says, remedy }: Verified): Finding =>
  remedy === undefined ? ok(about, says) : warning(about, says, remedy);
