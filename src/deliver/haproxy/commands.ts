import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { HsdoError } from '../../model/error.ts';
import { haproxyName } from './config.ts';
import type { Step } from './decide.ts';
import { hasTarget, type Wanted, type WantedTarget } from './desired.ts';

/** The same addresses come back at every look. */
const spellings = new Map<string, string>();
const maxSpellings = 50_000;
/** The longest form of an IPv6 address has 45. */
const maxAddressChars = 60;

/** The one spelling of an IP address (RFC 5952; IPv4-mapped IPv6 as IPv4); `undefined` for everything else, zone ids included. */
export function canonicalAddress(text: string): string | undefined {
  const known = spellings.get(text);
  if (known !== undefined) return known;
  // A copy of its own: as a piece of a reply it would keep all of that in memory.
  const own = Buffer.from(text.slice(0, maxAddressChars)).toString();
  const spelling = own === text ? spell(own) : undefined;
  if (spelling === undefined) return undefined;
  if (spellings.size >= maxSpellings) spellings.clear();
  spellings.set(own, spelling);
  return spelling;
}

function spell(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0 || text.includes('%')) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

function refuse(server: string, what: string, value: unknown, expected: string): never {
  const shown = JSON.stringify(String(value).slice(0, 80));
  throw new HsdoError(
    'rejected',
    `Cannot set ${what} of server "${server.slice(0, 80)}" to ${shown}: expected ${expected}`,
  );
}

function whole(server: string, what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  return refuse(server, what, value, `a whole number from ${min} to ${max}`);
}

function endpoint(server: string, address: string, port: number): [address: string, port: number] {
  const canonical = canonicalAddress(address) ?? refuse(server, 'the address', address, 'an IP address');
  return [canonical, whole(server, 'the port', port, 1, 65_535)];
}

function textOf(subject: string, server: string, step: Step): string {
  switch (step.do) {
    case 'address': {
      const [address, port] = endpoint(server, step.address, step.port);
      return `set server ${subject} addr ${address} port ${port}`;
    }
    case 'weight':
      return `set server ${subject} weight ${whole(server, 'the weight', step.weight, 0, 256)}`;
    case 'state':
      return `set server ${subject} state ${step.state}`;
    case 'health-down':
      return `set server ${subject} health down`;
    case 'enable-health':
      return `enable health ${subject}`;
    case 'add': {
      const [address, port] = endpoint(server, step.address, step.port);
      const id = whole(server, 'the id', step.id, 1, 0x7fffffff);
      const host = address.includes(':') ? `[${address}]` : address;
      return `add server ${subject} ${host}:${port} id ${id}${step.hasChecks ? ' check' : ''}`;
    }
  }
}

/**
 * The text of each step for one server. HAProxy checks little by itself: it takes port 70000 as 4464 and runs what
 * follows a `;`, so every value is checked here.
 *
 * @throws HsdoError `rejected`, naming the server, the value and what was expected.
 */
export function renderSteps(backend: string, server: string, steps: readonly Step[]): readonly string[] {
  for (const name of [backend, server])
    if (!haproxyName.test(name)) refuse(server, 'the name', name, 'a name of letters, digits, "_", ".", ":", "-"');
  const subject = `${backend}/${server}`;
  return steps.map((step) => textOf(subject, server, step));
}

/** What HAProxy says to `addr`, in 2.6 to 3.x, when all went well. */
const addressDone =
  /^(IP changed from '[^']*' to '[^']*'|no need to change the addr)(, (port changed from '[^']*' to '[^']*'|no need to change the port))?( by 'stats socket command')?\.?$/;

/** The old worker's answer while it finishes its connections after a reload. */
export function isFromOldWorker(reply: string): boolean {
  return reply.trim() === 'Proxy is disabled.';
}

/** Why HAProxy refused a step, on one line; `undefined` when it did not. Only reading back tells that it was done. */
export function refusalIn(step: Step, reply: string): string | undefined {
  const text = reply.trim();
  if (step.do === 'address' && addressDone.test(text)) return undefined;
  if (step.do === 'add' && text.startsWith('New server registered')) return undefined;
  return text === '' ? undefined : (text.split('\n')[0] ?? '').slice(0, 200);
}

/** The error that some value of a wanted server deserves; `undefined` when every value may go into a command. */
function faultOf(wanted: WantedTarget): HsdoError | undefined {
  const { address, port, weight, targetName } = wanted;
  try {
    endpoint(targetName, address, port);
    if (weight !== undefined) whole(targetName, 'the weight', weight, 0, 256);
    return undefined;
  } catch (error) {
    if (error instanceof HsdoError) return error;
    throw error;
  }
}

/**
 * Takes what a snapshot wants through the same checks before anything is planned: addresses get their one spelling, and a
 * target with a value that must not be sent leaves its slot free, so that nobody else's traffic goes there.
 */
export function checkWanted(wanted: ReadonlyMap<number, Wanted>): {
  readonly wanted: ReadonlyMap<number, Wanted>;
  readonly refused: readonly { readonly index: number; readonly reason: string }[];
} {
  const refused: { index: number; reason: string }[] = [];
  const checked = [...wanted.values()].map((slot): Wanted => {
    if (!hasTarget(slot)) return slot;
    const fault = faultOf(slot);
    if (fault === undefined) return { ...slot, address: canonicalAddress(slot.address) ?? slot.address };
    refused.push({ index: slot.index, reason: fault.message });
    return { index: slot.index, admin: 'maint' };
  });
  return { wanted: new Map(checked.map((slot) => [slot.index, slot])), refused };
}
