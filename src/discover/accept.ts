import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Refusal, Target } from '../model/target.ts';
import { called, showValue } from './show.ts';
import type { Sighting } from './source.ts';
import { firstOfEach } from './unique.ts';

/** What can never be a target: no host has it, or it means another one on every machine. */
const unusableRanges = ['unspecified', 'broadcast', 'multicast', 'linkLocal'];
const word = /^[A-Za-z0-9_.:/@+-]{1,255}$/;

type Parsed<T> = { readonly value: T } | { readonly fault: string };

/**
 * Parses what a source reported. Nothing that came from outside gets past this place unchecked: targets later become
 * arguments of HAProxy's command line, keys and labels. One bad value refuses its own sighting only; the reason names
 * the field, the value and what was expected. Of two sightings with one id, or one address and port, the first wins.
 * Never throws.
 */
export function accept(sightings: readonly Sighting[]): {
  readonly targets: readonly Target[];
  readonly refusals: readonly Refusal[];
} {
  const refusals: Refusal[] = [];
  const targets: Target[] = [];
  sightings.forEach((sighting, index) => {
    const parsed = parse(sighting);
    if ('value' in parsed) targets.push(parsed.value);
    else refusals.push({ name: nameOf(sighting, index), reason: parsed.fault });
  });
  const unique = firstOfEach(targets);
  return { targets: unique.targets, refusals: [...refusals, ...unique.refusals] };
}

function parse(sighting: Sighting): Parsed<Target> {
  if (sighting.fault !== undefined) return { fault: sighting.fault };
  // First, since an entry without id or name is named by its address.
  const address = parseAddress(sighting.address);
  if ('fault' in address) return address;
  const id = parseWord('id', sighting.id);
  if ('fault' in id) return id;
  const name = parseWord('name', sighting.name);
  if ('fault' in name) return name;
  const group = parseWord('group', sighting.group);
  if ('fault' in group) return group;
  const port = optional(sighting.port, (value) => parseInteger('port', value, 1, 65_535));
  if ('fault' in port) return port;
  const zone = optional(sighting.zone, (value) => parseWord('zone', value));
  if ('fault' in zone) return zone;
  const weight = optional(sighting.weight, (value) => parseInteger('weight', value, 1, 256));
  if ('fault' in weight) return weight;
  const priority = optional(sighting.priority, (value) => parseInteger('priority', value, 0, 65_535));
  if ('fault' in priority) return priority;
  return {
    value: {
      id: id.value,
      name: name.value,
      address: address.value,
      group: group.value,
      ...(port.value === undefined ? {} : { port: port.value }),
      ...(zone.value === undefined ? {} : { zone: zone.value }),
      ...(weight.value === undefined ? {} : { weight: weight.value }),
      ...(priority.value === undefined ? {} : { priority: priority.value }),
    },
  };
}

/** JSON and YAML say `null` for what is not there. */
function optional<T>(value: unknown, parsePresent: (value: unknown) => Parsed<T>): Parsed<T | undefined> {
  return value === undefined || value === null ? { value: undefined } : parsePresent(value);
}

function parseWord(field: string, value: unknown): Parsed<string> {
  if (typeof value === 'string' && word.test(value)) return { value };
  return { fault: `${field} is ${showValue(value)}, expected 1 to 255 of A-Z a-z 0-9 _ . : / @ + -` };
}

function parseInteger(field: string, value: unknown, min: number, max: number): Parsed<number> {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return { value };
  return { fault: `${field} is ${showValue(value)}, expected an integer from ${min} to ${max}` };
}

/** `net.isIP` goes first: ipaddr.js alone takes 010.0.0.1 for 8.0.0.1 and 10.1 for 10.0.0.1. */
function parseAddress(value: unknown): Parsed<string> {
  if (typeof value !== 'string' || isIP(value) === 0 || value.includes('%')) {
    return { fault: `address is ${showValue(value)}, expected an IPv4 or IPv6 address without zone` };
  }
  const address = ipaddr.process(value);
  const range = address.range();
  if (!unusableRanges.includes(range)) return { value: address.toString() };
  return { fault: `address is ${showValue(value)}, expected one that a target can have; this is in range ${range}` };
}

function nameOf({ name, id, address }: Sighting, index: number): string {
  return called(name, id) ?? called(address, undefined) ?? `entry ${index + 1}`;
}
