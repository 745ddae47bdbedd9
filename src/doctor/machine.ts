import { readFile } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

/** What of a configuration the machine has to stand. */
export type MachineConfig = { readonly checks: { readonly concurrency: number } } & {
  readonly services?: Config['services'];
};

/** The oldest Node.js that runs hsdo, and the oldest that still gets corrections. */
const oldest = [20, 19] as const;
const supported = 22;
/** Descriptors beside those of checks: connections of clients of the API and of DNS, stores, files. */
const otherDescriptors = 256;

/** The machine that hsdo stands on: Node.js, the limit of descriptors, time zones. */
export function machineExaminations(config: MachineConfig | undefined): readonly Examination[] {
  return [
    {
      about: 'Node.js',
      remedy: 'install Node.js 22 or newer',
      look: async () => [nodeFinding(process.versions.node)],
    },
    {
      about: 'file descriptors',
      remedy: 'look at `ulimit -n`',
      look: async () => descriptorFindings(await limitsOf('self'), config?.checks.concurrency ?? 0),
    },
    { about: 'time zones', remedy: 'use a Node.js with full ICU', look: async () => [zoneFinding(zonesOf(config))] },
  ];
}

/** What is to be said of a version of Node.js such as `20.19.2`. */
export function nodeFinding(version: string): Finding {
  const about = 'Node.js';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    return fault(about, `${version} is too old`, `install Node.js ${oldest.join('.')} or newer, better ${supported}`);
  }
  if (major < supported) {
    return warning(about, `${version} runs hsdo, but gets no corrections any more`, 'move to Node.js 22 or 24 one day');
  }
  return ok(about, version);
}

/** `/proc/PID/limits` (proc(5)); `undefined` on systems without it. */
async function limitsOf(process: string): Promise<string | undefined> {
  return readFile(`/proc/${process}/limits`, 'utf8').catch(() => undefined);
}

/** Whether as many files may be open as checks may run at one moment, with what is needed beside them. */
export function descriptorFindings(limits: string | undefined, concurrency: number): readonly Finding[] {
  const about = 'file descriptors';
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return [];
  const wanted = concurrency + otherDescriptors;
  if (soft === 'unlimited' || Number(soft) >= wanted) return [ok(about, `${soft} here`)];
  const says = `${soft} here, but checks.concurrency is ${concurrency}`;
  const remedy = `allow at least ${wanted}: \`ulimit -n\`, or LimitNOFILE= in the unit`;
  return [warning(about, says, remedy)];
}

/** Time zones that the configuration names, and one that every full list has. */
function zonesOf(config: MachineConfig | undefined): readonly string[] {
  const named = config?.services?.flatMap(({ maintenance }) =>
    maintenance.flatMap((window) => ('timeZone' in window && window.timeZone !== undefined ? [window.timeZone] : [])),
  );
  return [...new Set(['Europe/Berlin', ...(named ?? [])])];
}

/** Whether Node.js knows these zones. A build without ICU's data takes all for UTC, or refuses them. */
export function zoneFinding(zones: readonly string[]): Finding {
  const about = 'time zones';
  const unknown = zones.filter((zone) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone === '';
    } catch {
      return true;
    }
  });
  if (unknown.length === 0) return ok(about, `known (tz ${process.versions['tz'] ?? 'of the system'})`);
  const remedy = 'use a Node.js with full ICU (no small-icu build, NODE_ICU_DATA unset)';
  return fault(about, `this Node.js does not know ${unknown.join(', ')}`, remedy);
}
