/** Which HAProxy process answers; for logs, status and metrics only. */
export interface ProcessInfo {
  readonly pid: number;
  /** Wall-clock milliseconds. */
  readonly startedAt: number;
  readonly version: string;
  /** An old worker that finishes its connections after a reload. */
  readonly isStopping: boolean;
}

/** Parses the reply to `show info`; `undefined` when it does not look like one. */
export function parseInfo(text: string): ProcessInfo | undefined {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.trim();
  const [pid, started, version] = [Number(field('Pid')), Number(field('Start_time_sec')), field('Version')];
  if (!Number.isInteger(pid) || !Number.isInteger(started) || version === undefined) return undefined;
  return { pid, startedAt: started * 1000, version: version.slice(0, 80), isStopping: field('Stopping') === '1' };
}
