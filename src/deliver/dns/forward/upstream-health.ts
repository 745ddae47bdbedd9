import { createBackoff } from '../../../time/backoff.ts';

/** Whether a server answers, by what became of the questions to it. */
export interface Health {
  /** False after several failures in a row: it is asked last then, and tried with a question now and then. */
  isUp(): boolean;
  /** Failures in a row. */
  failures(): number;
  answered(): void;
  /** `now` is an instant of the monotonic clock. */
  failed(now: number): void;
  /** True when it is time for a trial of a server that is not up; the next trial is then a pause away. */
  takeTrial(now: number): boolean;
}

const mostFailures = 3;
const [firstPauseMs, longestPauseMs] = [2000, 30_000];

export function createHealth(onChange: () => void): Health {
  const pauses = createBackoff({ baseMs: firstPauseMs, maxMs: longestPauseMs });
  let failures = 0;
  let trialAt = 0;
  const isUp = () => failures < mostFailures;
  return {
    isUp,
    failures: () => failures,
    answered() {
      if (failures === 0) return;
      const wasUp = isUp();
      failures = 0;
      pauses.reset();
      if (!wasUp) onChange();
    },
    failed(now) {
      failures += 1;
      if (failures !== mostFailures) return;
      trialAt = now + pauses.next();
      onChange();
    },
    takeTrial(now) {
      if (isUp() || now < trialAt) return false;
      trialAt = now + pauses.next();
      return true;
    },
  };
}
