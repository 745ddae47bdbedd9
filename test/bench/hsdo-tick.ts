import { hasTarget } from '../../src/deliver/haproxy/desired.ts';
import type { WantedList } from './hsdo-pass.ts';
import { backend } from './thousand.ts';

/** What HSDO sends at every tick, whether anything changed or not: address, weight and state of each server. */
export function hsdoTick(wanted: WantedList): string[] {
  return [...wanted.values()].filter(hasTarget).flatMap(({ index, address, port, weight }) => {
    const server = `${backend}/web${index}`;
    return [
      `set server ${server} addr ${address} port ${port}`,
      `set server ${server} weight ${weight}`,
      `set server ${server} state ready`,
    ];
  });
}
