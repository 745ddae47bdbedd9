import type { Document } from '../config/document.ts';
import type { Fault } from '../config/fault.ts';
import { flatNames } from '../config/flat.ts';
import { suggestion } from '../config/suggest.ts';
import { faultsOfResult } from './accepted.ts';
import { importDhaf } from './dhaf.ts';
import { createDraft, type Draft } from './draft.ts';
import { importHanoproxy } from './hanoproxy.ts';
import { importHar } from './har.ts';
import { nestHsdo, tellHsdoDifferences } from './hsdo.ts';
import { documentOf, type Kind, kindNames } from './kinds.ts';
import { importPyfailoverdns } from './pyfailoverdns.ts';
import { createReading, type Reading } from './reading.ts';
import type { Entry, Variable } from './report.ts';
import { writeDraft } from './text.ts';

/** What came of a predecessor's file. */
export interface Imported {
  readonly kind: Kind;
  /** Our nested form as YAML with comments; `undefined` where the file runs as it is, or where there are faults. */
  readonly text: string | undefined;
  readonly entries: readonly Entry[];
  /** With the secrets themselves, which nobody may show. */
  readonly variables: readonly Variable[];
  readonly faults: readonly Fault[];
}

type Importer = (reading: Reading, draft: Draft) => void;

const importers: Readonly<Partial<Record<Kind, Importer>>> = {
  dhaf: importDhaf,
  hanoproxy: importHanoproxy,
  har: importHar,
  pyfailoverdns: importPyfailoverdns,
};

/** Where a predecessor's answer to its users is told more of. */
const guide = 'docs/moving-in.md';

/**
 * Makes a configuration of ours of a predecessor's, by the text of its file. Nothing is thrown for what a person wrote:
 * either there are faults, with place, value and what was expected, or the text is one that `hsdo check-config` takes.
 *
 * `isNested`: HSDO's own file, which runs as it is, is turned into the nested form all the same.
 */
export function importText(
  kind: Kind,
  file: string,
  source: string,
  options: { readonly isNested?: boolean } = {},
): Imported {
  const document = documentOf(kind, file, source);
  const draft = createDraft(file);
  const done = (faults: readonly Fault[], text?: string): Imported => ({
    kind,
    text: faults.length > 0 ? undefined : text,
    entries: byLine(draft.entries),
    variables: draft.variables,
    faults: byLine(onceEach(faults)),
  });
  if (document.faults.length > 0) return done(document.faults);
  const importer = importers[kind];
  if (importer === undefined && kind !== 'hsdo') return done([]);
  const faults = importer === undefined ? nestHsdo(document, draft) : read(document, kind, importer, draft);
  const hasFlat = Object.keys(document.root).some((key) => flatNames.includes(key));
  if (kind === 'hsdo' && hasFlat) tellHsdoDifferences(draft);
  const text = faults.length > 0 ? '' : writeDraft(draft, headingOf(kind, file, draft));
  if (faults.length === 0 && (kind !== 'hsdo' || options.isNested)) return done(faultsOfResult(text, draft), text);
  return done(faults.length > 0 ? faults : faultsOfResult(text, draft));
}

function read(document: Document, kind: Kind, importer: Importer, draft: Draft): readonly Fault[] {
  const reading = createReading(document, { ignoresCase: kind === 'hanoproxy' });
  importer(reading, draft);
  for (const unknown of reading.unread()) {
    const key = String(unknown.path.at(-1));
    const known = knownKeys[kind] ?? [];
    draft.left(unknown, `${kindNames[kind]} has no such parameter, or none here${suggestion(key, known)}`);
  }
  return reading.faults;
}

/** For a suggestion where somebody slipped. */
const knownKeys: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  har: [
    'check_frequency',
    'check_timeout',
    'check_method',
    'selection_method',
    'rtt_mode',
    'failure_mode',
    'group_rtt_threshold',
    'max_rtt',
    'check_address',
    'resolver_timeout',
    'dns_listen_port',
    'dns_bind_interfaces',
    'nameservers',
    'data_file',
  ],
  hanoproxy: [
    'CheckForHealth',
    'Expected_Response_Code',
    'RetryCount',
    'LBmethod',
    'MasterOnly',
    'SlaveOnly',
    'DbName',
    'SentinelMonitorMasterName',
    'HttpMethod',
    'UpStreamDnsServer',
    'UpdateInterval',
    'Sentinels',
    'UserName',
    'Password',
  ],
  pyfailoverdns: [
    'fallback',
    'fallback_ttl',
    'policy',
    'timeout_sec',
    'interval_sec',
    'monitor_tag',
    'targets',
    'priority',
    'token',
    'resolve_cache_ttl',
    'listen_ip',
    'listen_port',
  ],
  dhaf: [
    'tact-interval',
    'heartbeat-interval',
    'healthy-node-status-ttl',
    'web-api',
    'notifiers',
    'expected-codes',
    'expected-response-body',
    'follow-redirects',
    'domain-forwarding',
    'ignore-ssl-errors',
    'retries',
    'timeout',
    'headers',
    'username',
    'password',
  ],
};

function headingOf(kind: Kind, file: string, { variables }: Draft): readonly string[] {
  const name = file.split('/').at(-1) ?? file;
  const roles = kind === 'dhaf' ? '--server' : kind === 'hsdo' ? '--server --client' : '--server --dns';
  const from = `Made from ${JSON.stringify(name)}, a configuration of ${kindNames[kind]}, by \`hsdo import\`; see ${guide}.`;
  const needs =
    variables.length === 0 ? [] : [`It needs in its environment: ${variables.map((one) => one.name).join(', ')}.`];
  return [from, `Run it with \`hsdo ${roles} --config FILE\`.`, ...needs];
}

/** From the beginning of the old file to its end; what is about the whole comes first. */
function byLine<T extends { readonly place: string }>(all: readonly T[]): readonly T[] {
  const lineOf = ({ place }: T) => Number(/:(\d+)$/.exec(place)?.[1] ?? 0);
  return [...all].sort((one, other) => lineOf(one) - lineOf(other));
}

/** One mistake may have been found in two places that are made of it. */
function onceEach(faults: readonly Fault[]): readonly Fault[] {
  const seen = new Set<string>();
  return faults.filter(({ place, path, expected }) => {
    const key = JSON.stringify([place, path, expected]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
