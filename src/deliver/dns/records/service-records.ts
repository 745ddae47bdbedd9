import { servingWeight, type TakenSlot } from '../../../model/slot.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import type { Chapter, NamedSets, RecordOrder, RecordSet } from './records.ts';
import { isHeld, isOpen, serviceFacts, slotWords } from './service-words.ts';
import { addressSets, type Giving, serialOf, zoneSets } from './zone-records.ts';
import { type ServiceName, slotName } from './zones.ts';

/** How a service answers, by its configuration. */
export interface ServiceRecordRules {
  readonly ttlSeconds: number;
  /** While the verdict on a target is open, and the usual TTL is longer. */
  readonly doubtTtlSeconds: number;
  /** Of the addresses that answer in a panic with `fallback`; absent means the usual one. */
  readonly fallbackTtlSeconds?: number;
  readonly order: RecordOrder;
  /** Addresses in one answer, at least 1; Infinity for all. */
  readonly answers: number;
  /** Port of targets that name none, 1 to 65535. Where there is none either, nothing is said in SRV. */
  readonly defaultPort?: number;
  /** `forward`: hsdo knows the addresses and nothing else of the service's names, as har does. */
  readonly otherTypes: 'nodata' | 'forward';
}

export interface ServiceRecordsInput {
  readonly service: string;
  readonly names: readonly ServiceName[];
  /** The list in use; `undefined` where none was ever published. */
  readonly snapshot: Snapshot | undefined;
  readonly rules: ServiceRecordRules;
  /**
   * Ids of the targets that may answer, the best first; others are left out. Absent, and where none of them serves any more,
   * all answer that serve, in the order of their slots.
   */
  readonly rank?: readonly string[];
  /** Further facts for people, such as for how long the store has been silent. */
  readonly notes?: readonly string[];
}

/** Key of a service's chapter. */
export const serviceKey = (service: string): string => `service/${service}`;

/**
 * Everything that DNS says of one service: addresses, SRV and TXT at its names, and each slot's own name below them. Pure.
 * Addresses at the names are those of slots that serve, none twice; in a panic with `fallback`, the fallback's.
 *
 * SRV (RFC 2782) names the slots that serve and have a port, with the weight that they have in HAProxy. There the lower priority is
 * asked first and here the higher one, so it is 65535 less the target's; where the order is fixed by a rank it is the place in it.
 */
export function serviceChapter(input: ServiceRecordsInput): Chapter {
  const { service, names, snapshot, rules } = input;
  const serving = answering(input);
  const facts = { ...input, serving, ttlSeconds: ttlOf(snapshot, rules) };
  const own = ownSets(facts);
  return {
    key: serviceKey(service),
    names: names.flatMap((name) => namedSets(name, own, facts)),
  };
}

interface Facts extends ServiceRecordsInput {
  /** Slots that answer, in order. */
  readonly serving: readonly TakenSlot[];
  readonly ttlSeconds: number;
}

function answering({ snapshot, rank }: ServiceRecordsInput): readonly TakenSlot[] {
  const serving = (snapshot?.slots ?? []).flatMap((slot) =>
    slot.state === 'taken' && servingWeight(slot) > 0 ? [slot] : [],
  );
  if (rank === undefined) return serving;
  const byId = new Map(serving.map((slot) => [slot.target.id, slot]));
  const ranked = [...new Set(rank)].flatMap((id) => byId.get(id) ?? []);
  return ranked.length > 0 ? ranked : serving;
}

/** Short while an answer may be wrong any moment: the verdict on one that serves, or would without it, is open. */
function ttlOf(snapshot: Snapshot | undefined, { ttlSeconds, doubtTtlSeconds }: ServiceRecordRules): number {
  const isInDoubt = (snapshot?.slots ?? []).some((slot) => slot.state === 'taken' && !isHeld(slot) && isOpen(slot));
  return isInDoubt ? Math.min(ttlSeconds, doubtTtlSeconds) : ttlSeconds;
}

/** What is the same at each of the names: addresses and words. */
function ownSets({ service, snapshot, rules, serving, ttlSeconds, notes = [] }: Facts) {
  const { order, answers, fallbackTtlSeconds } = rules;
  const panic = snapshot?.panic;
  const giving: Giving = { ttlSeconds, order, answers };
  const addresses =
    panic?.serves === 'fallback'
      ? addressSets(panic.fallback ?? [], {
          ttlSeconds: fallbackTtlSeconds ?? rules.ttlSeconds,
          order: order === 'fixed' ? 'fixed' : 'turns',
          answers,
        })
      : addressSets(
          serving.map((slot) => ({ address: slot.target.address, weight: servingWeight(slot) })),
          giving,
        );
  return { addresses, words: textSet([...serviceFacts(service, snapshot, serving.length), ...notes], ttlSeconds) };
}

function textSet(texts: readonly string[], ttlSeconds: number): RecordSet {
  const records = [...new Set(texts)].map((text) => ({ data: { type: 'TXT', text } as const }));
  return { type: 'TXT', ttlSeconds, order: 'fixed', answers: records.length, records };
}

function namedSets(at: ServiceName, own: ReturnType<typeof ownSets>, facts: Facts): readonly NamedSets[] {
  const { otherTypes } = facts.rules;
  const { name, apex, kind, zone } = at;
  const srv = serviceSet(at.base, facts);
  const isWhole = otherTypes === 'nodata';
  const sets = [...own.addresses, ...(isWhole ? [...srv, own.words] : [])];
  switch (kind) {
    case 'srv':
      return [{ name, apex, sets: srv, otherTypes: 'nodata' }];
    case 'beyond':
      return [{ name, apex, sets: [], otherTypes: 'foreign' }];
    case 'undeclared':
      return [{ name, apex, sets, otherTypes }];
    case 'service': {
      const zonal = zone === undefined ? [] : zoneSets(zone, serialOf(facts.snapshot?.publishedAt ?? 0));
      return [{ name, apex, sets: [...sets, ...zonal], otherTypes }, ...slotNames(at, facts)];
    }
  }
}

function serviceSet(base: string, { serving, rank, rules, ttlSeconds }: Facts): readonly RecordSet[] {
  const isRanked = rank !== undefined && rules.order === 'fixed';
  const records = serving.flatMap((slot, place) => {
    const port = slot.target.port ?? rules.defaultPort;
    if (port === undefined) return [];
    const priority = isRanked ? place : 65_535 - (slot.target.priority ?? 0);
    const target = slotName(slot.index, base);
    return [{ data: { type: 'SRV', priority, weight: servingWeight(slot), port, target } as const }];
  });
  if (records.length === 0) return [];
  return [{ type: 'SRV', ttlSeconds, order: isRanked ? 'fixed' : 'turns', answers: records.length, records }];
}

/** Each known target under its slot, whether it serves or not. */
function slotNames({ base, apex }: ServiceName, { snapshot, ttlSeconds }: Facts): readonly NamedSets[] {
  return (snapshot?.slots ?? []).flatMap((slot): NamedSets[] => {
    if (slot.state === 'free') return [];
    const sets = [
      ...addressSets([slot.target.address], { ttlSeconds, order: 'fixed', answers: 1 }),
      textSet([slotWords(slot)], ttlSeconds),
    ];
    return [{ name: slotName(slot.index, base), apex, sets, otherTypes: 'nodata' }];
  });
}
