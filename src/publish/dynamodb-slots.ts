import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { accept } from '../discover/accept.ts';
import type { Sighting } from '../discover/source.ts';
import { overrides, type Slot, type SlotHealth, servingWeight, type TakenSlot, type Tenant } from '../model/slot.ts';
import { outReasonSchema, slotHealthSchema } from '../model/snapshot-schema.ts';
import type { Refusal, Target } from '../model/target.ts';
import { type Attributes, numberOf, numeric, textOf } from './dynamodb-attributes.ts';
import { formatPythonTime, noTime, parsePythonTime } from './python-time.ts';

/** The steps of the weight, as configured: HSDO stores the time of the last one, hsdo that of the first. */
export interface Ramp {
  readonly min: number;
  readonly increase: number;
  readonly intervalMs: number;
}

/** What a reader of an item must know beside it. */
export interface DecodeContext {
  readonly ramp: Ramp;
  /** False for a table in which HSDO had the last word: then attributes of ours are leftovers and mean nothing. */
  readonly isOurs: boolean;
  /** Wall-clock milliseconds of the read. */
  readonly readAt: number;
}

/** The numeric key of HSDO's table. */
export const idAttribute = 'BackendServerID';

/** A free slot in HSDO's words; item 0 has this shape as well, so that its clients take it for one. */
export function freeItem(id: number): Record<string, AttributeValue> {
  return {
    [idAttribute]: numeric(id),
    IPAddress: { S: 'none' },
    ServerName: { S: 'none' },
    ASG: { S: 'none' },
    Weight: numeric(0),
    BackendServerStatus: { S: 'disabled' },
    LastWeightUpdate: { S: noTime },
  };
}

/**
 * A slot in HSDO's own attributes and nothing else. A slot that drains, or that a verdict or an operator took out, keeps
 * its address with weight 0: HSDO's clients know no other way to stop new requests without cutting old ones.
 */
export function encodeForHsdo(slot: Slot, ramp: Ramp, writtenAt: number): Record<string, AttributeValue> {
  if (slot.state === 'free') return freeItem(slot.index);
  return {
    [idAttribute]: numeric(slot.index),
    IPAddress: { S: slot.target.address },
    ServerName: { S: slot.target.name },
    ASG: { S: slot.target.group },
    Weight: numeric(servingWeight(slot)),
    BackendServerStatus: { S: 'enabled' },
    LastWeightUpdate: { S: formatPythonTime(lastStepAt(slot, ramp, writtenAt)) },
  };
}

/** When the weight grew last: the start of the ramp plus the steps taken, but never in the future. */
function lastStepAt(slot: { joinedAt: number; weight: number }, ramp: Ramp, writtenAt: number): number {
  const steps = ramp.increase > 0 ? Math.max(0, Math.ceil((slot.weight - ramp.min) / ramp.increase)) : 0;
  return Math.min(writtenAt, slot.joinedAt + steps * ramp.intervalMs);
}

/** A slot as hsdo writes it: HSDO's attributes, and beside them what HSDO has no words for. */
export function encodeSlot(slot: Slot, ramp: Ramp, writtenAt: number): Record<string, AttributeValue> {
  const item = encodeForHsdo(slot, ramp, writtenAt);
  if (slot.state === 'free') return { ...item, ...encodeTenant(slot.last) };
  const { target } = slot;
  return {
    ...item,
    SlotState: { S: slot.state },
    TargetID: { S: target.id },
    ...(target.port === undefined ? {} : { Port: numeric(target.port) }),
    ...(target.zone === undefined ? {} : { Zone: { S: target.zone } }),
    ...(target.weight === undefined ? {} : { MaxWeight: numeric(target.weight) }),
    ...(target.priority === undefined ? {} : { Priority: numeric(target.priority) }),
    JoinedAt: numeric(slot.joinedAt),
    RampWeight: numeric(slot.weight),
    ...(slot.state === 'draining' ? { DrainUntil: numeric(slot.drainUntil) } : {}),
    ...(slot.state === 'taken' ? encodeOut(slot) : {}),
  };
}

function encodeOut({ override, health, out }: TakenSlot): Record<string, AttributeValue> {
  return {
    ...(override === undefined ? {} : { Override: { S: override } }),
    ...(health === undefined ? {} : encodeHealth(health)),
    ...(out === undefined ? {} : { Out: { S: out } }),
  };
}

function encodeHealth({ verdict, code, sinceAt, isInDoubt }: SlotHealth): Record<string, AttributeValue> {
  return {
    Health: { S: verdict },
    HealthCode: { S: code },
    HealthSince: numeric(sinceAt),
    ...(isInDoubt ? { InDoubt: numeric(1) } : {}),
  };
}

function encodeTenant(last: Tenant | undefined): Record<string, AttributeValue> {
  if (last === undefined) return {};
  return {
    LastID: { S: last.id },
    LastAddress: { S: last.address },
    ...(last.port === undefined ? {} : { LastPort: numeric(last.port) }),
    LeftAt: numeric(last.leftAt),
  };
}

/**
 * Reads one item, whoever wrote it. Never throws: an item without a usable address is a free slot, any other fault
 * costs only its own attribute; each is told as a refusal.
 */
export function decodeSlot(
  index: number,
  item: Attributes,
  context: DecodeContext,
): { readonly slot: Slot; readonly refusals: readonly Refusal[] } {
  if (textOf(item, 'IPAddress') === 'none') return { slot: freeSlot(index, item, context), refusals: [] };
  const { target, refusals } = decodeTarget(index, item, context);
  if (!target) return { slot: { state: 'free', index }, refusals };
  const weight = decodeWeight(item, context);
  const joinedAt =
    (context.isOurs ? numberOf(item, 'JoinedAt', 0) : undefined) ?? deriveJoinedAt(item, weight, context);
  const drainUntil = context.isOurs ? numberOf(item, 'DrainUntil', 0) : undefined;
  if (context.isOurs && textOf(item, 'SlotState') === 'draining' && drainUntil !== undefined) {
    return { slot: { state: 'draining', index, target, joinedAt, weight, drainUntil }, refusals };
  }
  return { slot: { state: 'taken', index, target, joinedAt, weight, ...decodeOut(item, context) }, refusals };
}

function freeSlot(index: number, item: Attributes, { isOurs }: DecodeContext): Slot {
  const [id, address, leftAt] = [textOf(item, 'LastID'), textOf(item, 'LastAddress'), numberOf(item, 'LeftAt', 0)];
  if (!isOurs || id === undefined || address === undefined || leftAt === undefined) return { state: 'free', index };
  const port = numberOf(item, 'LastPort', 1, 65_535);
  return { state: 'free', index, last: { id, address, ...(port === undefined ? {} : { port }), leftAt } };
}

/** Leaves out, one after the other, what keeps the item from being a target; the address alone cannot be missed. */
function decodeTarget(index: number, item: Attributes, { isOurs }: DecodeContext) {
  const name = textOf(item, 'ServerName');
  const address = textOf(item, 'IPAddress');
  const full: Sighting = {
    id: (isOurs ? textOf(item, 'TargetID') : undefined) ?? name,
    name,
    address,
    group: textOf(item, 'ASG'),
    ...(isOurs && item['Port'] ? { port: numberOf(item, 'Port') ?? 'no number' } : {}),
    ...(isOurs && item['Zone'] ? { zone: textOf(item, 'Zone') ?? 0 } : {}),
    ...(isOurs && item['MaxWeight'] ? { weight: numberOf(item, 'MaxWeight') ?? 'no number' } : {}),
    ...(isOurs && item['Priority'] ? { priority: numberOf(item, 'Priority') ?? 'no number' } : {}),
  };
  const refusals: Refusal[] = [];
  let sighting = full;
  for (const repair of [
    {},
    { group: 'none' },
    { port: null, zone: null, weight: null, priority: null },
    { id: address, name: address },
  ]) {
    sighting = { ...sighting, ...repair };
    const accepted = accept([sighting]);
    const [target] = accepted.targets as readonly (Target | undefined)[];
    if (target) return { target, refusals };
    if (refusals.length === 0) {
      refusals.push(...accepted.refusals.map(({ name, reason }) => ({ name, reason: `slot ${index}: ${reason}` })));
    }
  }
  return { target: undefined, refusals };
}

function decodeWeight(item: Attributes, { ramp, isOurs }: DecodeContext): number {
  const ours = isOurs ? integerOf(item, 'RampWeight', 256) : undefined;
  return ours ?? integerOf(item, 'Weight', 256) ?? ramp.min;
}

function integerOf(item: Attributes, name: string, max: number): number | undefined {
  const value = numberOf(item, name, 0, max);
  return Number.isInteger(value) ? value : undefined;
}

/**
 * The start of a ramp whose next step comes one interval after the last one that HSDO noted. Where the time cannot be
 * read, the last step is taken to be this moment: too slow is safer than too fast.
 */
function deriveJoinedAt(item: Attributes, weight: number, { ramp, readAt }: DecodeContext): number {
  const noted = parsePythonTime(textOf(item, 'LastWeightUpdate') ?? '') ?? readAt;
  const steps = ramp.increase > 0 ? Math.max(0, Math.floor((weight - ramp.min) / ramp.increase)) : 0;
  return Math.max(0, Math.min(noted, readAt) - steps * ramp.intervalMs);
}

function decodeOut(
  item: Attributes,
  { isOurs, readAt }: DecodeContext,
): Pick<TakenSlot, 'override' | 'health' | 'out'> {
  if (!isOurs) return {};
  const override = overrides.find((known) => known === textOf(item, 'Override'));
  const health = decodeHealth(item, readAt);
  const out = textOf(item, 'Out') === undefined ? undefined : outReasonSchema.parse(textOf(item, 'Out'));
  return {
    ...(override === undefined ? {} : { override }),
    ...(health === undefined ? {} : { health }),
    ...(out === undefined ? {} : { out }),
  };
}

/** Where the time cannot be read the verdict is taken to be of this moment. */
function decodeHealth(item: Attributes, readAt: number): SlotHealth | undefined {
  const verdict = textOf(item, 'Health');
  if (verdict === undefined) return undefined;
  const health = {
    verdict,
    code: textOf(item, 'HealthCode'),
    sinceAt: numberOf(item, 'HealthSince', 0) ?? readAt,
    ...(numberOf(item, 'InDoubt') === 1 ? { isInDoubt: true } : {}),
  };
  return slotHealthSchema.safeParse(health).data;
}
