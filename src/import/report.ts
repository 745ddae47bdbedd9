/** One thing that the import has to say about a predecessor's configuration. */
export interface Entry {
  /** Taken over as it is; hsdo does it otherwise; or not taken over. */
  readonly kind: 'taken' | 'differs' | 'left';
  readonly place: string;
  /** The parameter in the old file; empty where it is about the whole. */
  readonly from: string;
  /** Where it stands now. */
  readonly to?: string;
  /** What differs and why, or what to do instead. */
  readonly words?: string;
  /** Somebody has to decide before the new configuration does what the old one did. */
  readonly isOpen?: boolean;
}

/** A variable that holds a secret from now on. */
export interface Variable {
  readonly name: string;
  /** The secret itself; never shown. */
  readonly value: string;
  readonly place: string;
  readonly from: string;
}

export interface Report {
  /** `har.conf is a configuration of har (it has sections \`name HOST {\`)`. */
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly variables: readonly Omit<Variable, 'value'>[];
}

const headings = {
  taken: 'Taken over',
  differs: 'Different in hsdo',
  left: 'Not taken over',
} as const;

/** The report for people; secrets do not stand in it. */
export function showReport({ title, entries, variables }: Report): string {
  const parts = (['taken', 'differs', 'left'] as const).map((kind) => {
    const lines = entries.filter((entry) => entry.kind === kind).map(showEntry);
    return lines.length === 0 ? '' : `\n${headings[kind]}\n${lines.join('\n')}\n`;
  });
  const secrets = variables.map(({ name, place, from }) => `  ${name}: what stands at ${place} (${from})`);
  const wanted = 'Secrets are not written down again. Set these variables for hsdo (or write { file: PATH })';
  const open = entries.filter(({ isOpen }) => isOpen).length;
  return [
    `${title}.\n`,
    ...parts,
    secrets.length === 0 ? '' : `\n${wanted}\n${secrets.join('\n')}\n`,
    open === 0 ? '' : `\n${open} of these ${open === 1 ? 'needs' : 'need'} a decision: marked with !\n`,
  ].join('');
}

function showEntry({ place, from, to, words, isOpen }: Entry): string {
  const about = from === '' ? '' : `${place}: ${from}`;
  const mark = isOpen ? '!' : ' ';
  if (to !== undefined) return `${mark} ${about} -> ${to}`;
  return `${mark} ${about}${about === '' ? '' : ': '}${words ?? ''}`;
}
