import { type Document, parseSource } from '../config/document.ts';
import { flatNames } from '../config/flat.ts';
import { nestedNames } from '../config/schema.ts';
import { isTree } from '../config/tree.ts';
import { parseHar } from './har-syntax.ts';

/** The predecessors whose files are understood. */
export const kinds = ['hsdo', 'hanoproxy', 'har', 'pyfailoverdns', 'pyfailoverdns-agent', 'dhaf'] as const;
export type Kind = (typeof kinds)[number];

/** What a kind is called, and how a file of it is told from others. */
export const kindNames: Readonly<Record<Kind, string>> = {
  hsdo: 'HSDO',
  hanoproxy: 'HAnoProxY',
  har: 'har',
  pyfailoverdns: "PyFailoverDNS's master",
  'pyfailoverdns-agent': "PyFailoverDNS's agent",
  dhaf: 'dhaf',
};

/** A kind that a file may be of, and what says so. */
export interface Sign {
  readonly kind: Kind;
  readonly because: string;
}

/** Comments, and then a section as only har has it. */
const harSection = /(^|[\n}])[ \t]*name[ \t]+("[^"\n]*"|'[^'\n]*'|[^\s"'{}=:]+)\s*\{/;

/** The text without the comments that har's syntax knows, in one pass over it, however they are nested. */
function withoutComments(source: string): string {
  let bare = '';
  for (let at = 0; ; ) {
    const opens = source.indexOf('/*', at);
    const closes = opens < 0 ? -1 : source.indexOf('*/', opens + 2);
    if (closes < 0) return (bare + source.slice(at)).replaceAll(/#[^\n]*|^[ \t]*\/\/[^\n]*/gm, '');
    bare += source.slice(at, opens);
    at = closes + 2;
  }
}

/** All kinds that a text may be of; one is the normal case. */
export function signsOf(file: string, source: string): readonly Sign[] {
  if (harSection.test(withoutComments(source)))
    return [{ kind: 'har', because: 'it has sections `name HOST { ... }`' }];
  const { root } = parseSource(file, source);
  const keys = Object.keys(root);
  const has = (...wanted: readonly string[]) => wanted.filter((key) => keys.includes(key));
  const folded = keys.filter((key) => ['globaloptions', 'dnsrecords'].includes(key.toLowerCase()));
  const flat = keys.filter((key) => flatNames.includes(key));
  const nested = keys.filter((key) => nestedNames.includes(key));
  const isDhafService = (service: unknown) =>
    isTree(service) && ('entry-points' in service || 'health-checker' in service);
  const services: unknown = root['services'];
  const isDhaf = keys.includes('dhaf') || (Array.isArray(services) && services.some(isDhafService));
  const found: readonly (readonly [Kind, readonly string[]])[] = [
    ['hanoproxy', folded],
    ['pyfailoverdns', has('zones')],
    ['pyfailoverdns-agent', has('agent_id')],
    ['dhaf', isDhaf ? [...has('dhaf', 'etcd', 'services')] : []],
    ['hsdo', isDhaf || keys.includes('zones') ? flat : [...flat, ...nested]],
  ];
  return found
    .filter(([, names]) => names.length > 0)
    .map(([kind, names]) => {
      const isOurs = kind === 'hsdo' && flat.length === 0;
      return {
        kind,
        because: `it has ${names.slice(0, 3).join(', ')}${isOurs ? ', the form that hsdo alone has' : ''}`,
      };
    });
}

/** Reads the text in the syntax of its kind. */
export function documentOf(kind: Kind, file: string, source: string): Document {
  return kind === 'har' ? parseHar(file, source) : parseSource(file, source);
}
