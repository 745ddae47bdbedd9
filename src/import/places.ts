import type { Draft } from './draft.ts';

/** Tells apart the services of a file: what is made of several names may be the same, and a name of ours has 64 letters. */
export function createServiceNames() {
  const used = new Set<string>();
  return (wanted: string): string => {
    const plain = wanted.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 60) || 'service';
    let name = plain;
    for (let n = 2; used.has(name); n += 1) name = `${plain}-${n}`;
    used.add(name);
    return name;
  };
}

/** Room in the list of service `n` for all its targets; ours has ten slots unless it says more. */
export function makeRoom(draft: Draft, n: number, targets: number): void {
  if (targets > 10) draft.put(['services', n, 'size'], targets);
}

/** A number within what ours takes. */
export const within = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));
