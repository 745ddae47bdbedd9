import { fullWeight } from './settings.ts';
import { find, type Sight } from './sight.ts';
import type { DemoTarget } from './targets.ts';

/** Says what is not yet as it should be; `undefined` when all is. */
export type Expectation = (sight: Sight) => string | undefined;

/** The first complaint of several. */
export function every(...expectations: readonly Expectation[]): Expectation {
  return (sight) => {
    for (const expectation of expectations) {
      const complaint = expectation(sight);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  };
}

/** The target is in the list as `state`, and HAProxy has its address in the same slot; the rest is for `judge`. */
function placed(
  target: DemoTarget,
  state: 'taken' | 'draining',
  judge: (found: NonNullable<ReturnType<typeof find>>) => string | undefined,
): Expectation {
  const { name } = target;
  return (sight) => {
    if (!sight.haproxy) return 'HAProxy does not answer on its socket';
    if (!sight.api) return 'the API of hsdo does not answer';
    const found = find(sight, name);
    if (!found) return `${name} has no slot`;
    const { slot, server } = found;
    if (slot.state !== state) return `slot ${slot.index} of ${name} is ${slot.state}, expected ${state}`;
    if (server.address !== target.address || server.port !== target.port)
      return `slot ${slot.index} of ${name} has ${server.address}:${server.port} in HAProxy, expected ${target.address}:${target.port}`;
    return judge(found);
  };
}

/** HAProxy sends it requests, and DNS names it, with the weight that the list says; `atFullWeight`: the ramp is over. */
export function serves(target: DemoTarget, options: { readonly atFullWeight?: boolean } = {}): Expectation {
  const isServing = placed(target, 'taken', ({ slot, server }) => {
    if (server.admin !== 'ready') return `HAProxy has ${target.name} in ${server.admin}, expected ready`;
    if (!server.isUp) return `HAProxy has ${target.name} down, expected up`;
    if (server.weight !== slot.weight)
      return `HAProxy gives ${target.name} weight ${server.weight}, expected ${slot.weight}`;
    if (options.atFullWeight && server.weight !== fullWeight)
      return `${target.name} has weight ${server.weight}, expected ${fullWeight}`;
    return undefined;
  });
  return every(isServing, isNamed(target));
}

function isNamed({ name }: DemoTarget): Expectation {
  return ({ api, names }) => {
    if (!names) return 'DNS does not answer';
    const slot = api?.slots.find(({ target }) => target?.name === name);
    const named = names.servers.find(({ index }) => index === slot?.index);
    if (!named) return `DNS does not name ${name}`;
    return named.weight === slot?.weight
      ? undefined
      : `DNS gives ${name} weight ${named.weight}, expected ${slot?.weight}`;
  };
}

/** It has its slot, and gets nothing: HAProxy's own check says no, hsdo's says no, and DNS does not name it. */
export function isDown(target: DemoTarget): Expectation {
  const isOut = placed(target, 'taken', ({ slot, server }) => {
    if (slot.out === undefined) return `hsdo lets ${target.name} serve, expected that it is out`;
    if (server.admin !== 'drain') return `HAProxy has ${target.name} in ${server.admin}, expected drain`;
    return server.isUp ? `HAProxy has ${target.name} up, expected down` : undefined;
  });
  return every(isOut, isNotNamed(target));
}

/** Nobody finds it by DNS. */
function isNotNamed({ name, address }: DemoTarget): Expectation {
  return ({ names }) => {
    if (!names) return 'DNS does not answer';
    return names.addresses.includes(address) ? `DNS names ${name}, expected that it does not` : undefined;
  };
}

/**
 * DNS names exactly those to which HAProxy sends requests, by address, and by slot and port. Weights are compared by `serves`: on a
 * ramp they differ for a moment, and this one must hold at every moment at which nobody comes or goes.
 */
export const namesAgree: Expectation = ({ haproxy, names }) => {
  if (!haproxy) return 'HAProxy does not answer on its socket';
  if (!names) return 'DNS does not answer';
  const serving = haproxy.servers.filter(({ admin, isUp }) => admin === 'ready' && isUp);
  const byAddress = [names.addresses, serving.map(({ address }) => address)] as const;
  const bySlot = [names.servers, serving].map((servers) =>
    servers.map(({ index, port }) => `slot ${index}, port ${port}`),
  );
  for (const [said = [], expected = []] of [byAddress, bySlot]) {
    const [is, should] = [said, expected].map((texts) => [...texts].sort().join('; '));
    if (is !== should) return `DNS names "${is}", expected "${should}" as in HAProxy`;
  }
  return undefined;
};

/** Its slot waits for running requests to end, in the list and in HAProxy, and nobody new finds it by DNS. */
export function drains(target: DemoTarget): Expectation {
  const isDraining = placed(target, 'draining', ({ server }) =>
    server.admin === 'drain' ? undefined : `HAProxy has ${target.name} in ${server.admin}, expected drain`,
  );
  return every(isDraining, isNotNamed(target));
}

/** The slot is free, and out of service in HAProxy. */
export function isFree(index: number): Expectation {
  return ({ api, haproxy }) => {
    const slot = api?.slots.find((one) => one.index === index);
    const server = haproxy?.servers.find((one) => one.index === index);
    if (slot?.state !== 'free') return `slot ${index} is ${slot?.state ?? 'unknown'}, expected free`;
    return server?.admin === 'maint' ? undefined : `HAProxy has slot ${index} in ${server?.admin}, expected maint`;
  };
}

/** Which slot belongs to whom, `web-3` to 3. */
export type Seating = ReadonlyMap<string, number>;

export function seating(sight: Sight): Seating {
  return new Map((sight.api?.slots ?? []).flatMap(({ index, target }) => (target ? [[target.name, index]] : [])));
}

/** Whoever had a slot has the same one still; those who left may be absent. */
export function nobodyMoved(before: Seating): Expectation {
  return (sight) => {
    for (const [name, index] of seating(sight)) {
      const was = before.get(name) ?? index;
      if (was !== index) return `${name} moved from slot ${was} to ${index}`;
    }
    return undefined;
  };
}

/** Who serves where in HAProxy, one line for each slot that is in service; a free slot's address means nothing. */
function service({ haproxy }: Sight): string {
  const inService = haproxy?.servers.filter(({ admin }) => admin !== 'maint') ?? [];
  return inService
    .map(({ index, address, port, admin, isUp }) => `${index} ${address}:${port} ${admin} ${isUp ? 'up' : 'down'}`)
    .join('\n');
}

/** Who serves where is as before, whatever the API says or does not say. */
export function haproxyUnchanged(before: Sight): Expectation {
  return (sight) => {
    if (!sight.haproxy) return 'HAProxy does not answer on its socket';
    const [was, is] = [service(before), service(sight)];
    return is === was ? undefined : `HAProxy changed:\n${was}\nbecame\n${is}`;
  };
}

/** A server leads; `afterEpoch`: a later one than that. */
export function isLed(afterEpoch = 0): Expectation {
  return ({ api }) => {
    if (!api?.isLeader) return 'no hsdo server leads';
    return api.epoch > afterEpoch ? undefined : `the lease has epoch ${api.epoch}, expected more than ${afterEpoch}`;
  };
}
