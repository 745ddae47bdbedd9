/** Keeps item 0 below the 4 KB of one read unit, whatever else is in it. */
const maxBytes = 600;
/** Where not even one revision fits. */
const nothing = '-';
const form = /^\d{1,16}:(?:\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*)?$/;

/**
 * Item 0 tells which slots the last revisions wrote, newest first: `57:1-99,104;56:3`. This puts a revision before what is known of those that directly precede it, and cuts the oldest that do not fit.
 *
 * @param indexes - The slots that the revision writes or removes, in any order.
 * @param known - What this function returned for the revision before; undefined when that is not known.
 */
export function addMoved(revision: number, indexes: readonly number[], known: string | undefined): string {
  const entries = [`${revision}:${rangesOf(indexes)}`, ...(known === undefined || known === nothing ? [] : [known])];
  const text = entries.join(';');
  if (text.length <= maxBytes) return text;
  return text.slice(0, Math.max(0, text.lastIndexOf(';', maxBytes))) || nothing;
}

function rangesOf(indexes: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range && index === range[1] + 1) range[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(',');
}

/**
 * Tells for the slots that the last revisions up to `upTo` wrote which of these did so last: at least for all revisions
 * after `since`. `undefined` when not all of those are known. Never throws: what cannot be read is not known.
 */
export function lastMoved(
  text: string | undefined,
  { since, upTo, maxIndex }: { readonly since: number; readonly upTo: number; readonly maxIndex: number },
): ReadonlyMap<number, number> | undefined {
  const entries = (text ?? nothing).split(';').filter((entry) => form.test(entry));
  const known = new Map(entries.map((entry) => [Number(entry.split(':')[0]), entry.split(':')[1] ?? '']));
  for (let revision = upTo; revision > since; revision--) if (!known.has(revision)) return undefined;
  const found = new Map<number, number>();
  for (const [revision, ranges] of [...known].sort(([one], [other]) => one - other)) {
    if (revision > upTo) break;
    for (const range of ranges.split(',').filter((part) => part !== '')) {
      const [first = 0, last = first] = range.split('-').map(Number);
      for (let index = first; index <= Math.min(last, maxIndex); index++) found.set(index, revision);
    }
  }
  return found;
}
