import type { TargetPulse } from '../api/pulse.ts';
import type { Opinion } from './observing/opinions.ts';

/** What this process thinks of its targets, and how long they took when last asked; one that is down took no time worth showing. */
export function pulseOf(opinions: readonly Opinion[]): readonly TargetPulse[] {
  return opinions.map(({ target, vote, former, statistics }) => {
    const health = (vote ?? former)?.health;
    const totalMs = health === 'up' ? statistics?.totalMs : undefined;
    return { id: target.id, ...(health ? { health } : {}), ...(totalMs === undefined ? {} : { totalMs }) };
  });
}
