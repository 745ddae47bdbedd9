import { canonicalAddress, checkWanted, renderSteps } from '../../src/deliver/haproxy/commands.ts';
import type { Remembered } from '../../src/deliver/haproxy/decide.ts';
import { desiredServers, hasTarget, type Wanted } from '../../src/deliver/haproxy/desired.ts';
import { parseServersState } from '../../src/deliver/haproxy/observe.ts';
import { planBackend } from '../../src/deliver/haproxy/plan.ts';
import { type Pass, type PassReport, reconcile, type Seen } from '../../src/deliver/haproxy/reconcile.ts';
import { createRefusals } from '../../src/deliver/haproxy/refusals.ts';
import { systemClock } from '../../src/time/clock.ts';
import { snapshotOf } from '../fixtures/delivery.ts';
import type { Haproxy } from '../fixtures/haproxy.ts';
import { backend, slotCount } from './thousand.ts';

export type WantedList = ReadonlyMap<number, Wanted>;

/** A full list: every slot has a target of its own in `network` (such as `10.1`), all with one weight. */
export function fullList(network: string, weight: number): WantedList {
  const wishes = Array.from({ length: slotCount }, (_, position) => ({
    weight,
    target: {
      id: `${network}-${position}`,
      name: `target-${position}`,
      address: `${network}.${Math.floor(position / 250)}.${1 + (position % 250)}`,
      port: 8080,
    },
  }));
  const rule = { defaultPort: 80, accepts: 'all' as const };
  return checkWanted(desiredServers(snapshotOf(wishes, slotCount), rule, { primaryGroups: [], manageWeights: true }))
    .wanted;
}

/** What a client keeps between two looks at one HAProxy. */
export interface Looker {
  /** One pass of hsdo, with everything it does: read, plan, send, read back. */
  look(wanted: WantedList): Promise<PassReport>;
  /** Forgets the last reply, as if every line of the next one were new. */
  forgetReply(): void;
  /** Forgets everything, as a client without a memory would. */
  forgetAll(): void;
}

/** @param save - makes the memory durable, where hsdo waits for that before it sends. */
export function createLooker(socket: string, save: Pass['save'] = async () => {}): Looker {
  const seen = new Map<string, Seen>();
  const refusals = createRefusals(systemClock);
  const never = new AbortController().signal;
  let remembered: ReadonlyMap<number, Remembered> = new Map();
  return {
    async look(wanted) {
      const backends = [{ name: backend, baseName: 'web', wanted, remembered }];
      const rest = { timeoutMs: 10_000, mayGrow: false, wantsInfo: false };
      const report = await reconcile({ socket, ...rest, backends, refusals, seen, save }, never);
      remembered = report.backends[0]?.remembered ?? remembered;
      return report;
    },
    forgetReply: () => seen.clear(),
    forgetAll() {
      seen.clear();
      remembered = new Map();
    },
  };
}

async function observe(haproxy: Haproxy) {
  const reply = await haproxy.ask(`show servers state ${backend}`);
  return parseServersState(reply, backend, 'web', canonicalAddress);
}

/** The very commands that hsdo's plan sends from the state of this moment on. */
export async function plannedCommands(
  haproxy: Haproxy,
  wanted: WantedList,
  remembered: ReadonlyMap<number, Remembered> = new Map(),
): Promise<readonly string[]> {
  const observed = await observe(haproxy);
  const { changes } = planBackend({ observed, wanted, remembered, baseName: 'web', mayGrow: false });
  return changes.flatMap(({ server, steps }) => renderSteps(backend, server, steps));
}

/** Rejects unless HAProxy itself reports every server as wanted. */
export async function assertInPlace(haproxy: Haproxy, wanted: WantedList): Promise<void> {
  const { servers } = await observe(haproxy);
  for (const slot of wanted.values()) {
    if (!hasTarget(slot)) continue;
    const server = servers.get(slot.index);
    const isRight =
      server?.address === slot.address &&
      server.port === slot.port &&
      server.weight === slot.weight &&
      server.admin === slot.admin;
    if (!isRight) throw new Error(`slot ${slot.index} is ${JSON.stringify(server)}, wanted ${JSON.stringify(slot)}`);
  }
}
