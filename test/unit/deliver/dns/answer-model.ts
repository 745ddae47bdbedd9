import type { Chapter, NamedSets, RecordData } from '../../../../src/deliver/dns/records/records.ts';

/** What the slow and obvious way says of a question. */
export interface Verdict {
  readonly code: 'NOERROR' | 'NXDOMAIN' | 'REFUSED' | 'later';
  /** `owner data` in lower case. */
  readonly answers: readonly string[];
  /** The zone whose SOA denies it, in lower case. */
  readonly deniedBy?: string | undefined;
}

const lower = (name: string) => name.toLowerCase();
const above = (name: string) => (name.includes('.') ? name.slice(name.indexOf('.') + 1) : '');

/** A record's owner and data as text. */
export function told(owner: string, data: RecordData): string {
  const text =
    data.type === 'A' || data.type === 'AAAA'
      ? data.address
      : data.type === 'TXT'
        ? data.text
        : data.type === 'CNAME'
          ? lower(data.target)
          : 'other';
  return `${lower(owner)} ${data.type} ${text}`;
}

interface Found {
  readonly named: NamedSets;
  readonly isThere: boolean;
}

/** The name, the wildcard that stands for it, or what is above it. */
function find(names: ReadonlyMap<string, NamedSets>, name: string): Found | undefined {
  const itself = names.get(lower(name));
  if (itself !== undefined) return { named: itself, isThere: true };
  for (let rest = lower(name); rest !== ''; ) {
    rest = above(rest);
    const encloser = names.get(rest);
    if (encloser === undefined) continue;
    const wildcard = names.get(rest === '' ? '*' : `*.${rest}`);
    return wildcard === undefined ? { named: encloser, isThere: false } : { named: wildcard, isThere: true };
  }
  return undefined;
}

/**
 * Answers from lists and strings, as the sentences of the RFCs are read: no hashes, no bytes, nothing shared with the
 * answerer. A chain of CNAMEs has up to eight and ends where a name of the table comes round.
 */
export function judge(chapters: readonly Chapter[], question: string, type: string, forwards: boolean): Verdict {
  const names = new Map(chapters.flatMap(({ names: all }) => all.map((one) => [lower(one.name), one] as const)));
  const answers: string[] = [];
  const passed = new Set<NamedSets>();
  const deniedBy = ({ apex }: NamedSets) =>
    names.get(lower(apex))?.sets.some((set) => set.type === 'SOA') ? lower(apex) : undefined;
  for (let name = question; ; ) {
    const found = find(names, name);
    if (found === undefined) {
      if (answers.length > 0) return { code: 'NOERROR', answers };
      return { code: forwards ? 'later' : 'REFUSED', answers };
    }
    const { named, isThere } = found;
    if (!isThere) return { code: 'NXDOMAIN', answers, deniedBy: deniedBy(named) };
    const set = named.sets.find((one) => one.type === type);
    if (set !== undefined) {
      answers.push(...set.records.map(({ data }) => told(name, data)));
      return { code: 'NOERROR', answers };
    }
    const alias = named.sets.find((one) => one.type === 'CNAME')?.records[0]?.data;
    if (alias === undefined) {
      const isAddress = type === 'A' || type === 'AAAA';
      const isForwarded = named.otherTypes === 'foreign' || (named.otherTypes === 'forward' && !isAddress);
      if (forwards && isForwarded) return { code: answers.length > 0 ? 'NOERROR' : 'later', answers };
      return { code: 'NOERROR', answers, deniedBy: deniedBy(named) };
    }
    if (passed.has(named) || answers.length === 8 || alias.type !== 'CNAME') return { code: 'NOERROR', answers };
    passed.add(named);
    answers.push(told(name, alias));
    name = alias.target;
  }
}
