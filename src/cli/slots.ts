import type { Command } from 'commander';
import type { StatusView } from '../api/view.ts';
import type { Slot } from '../model/slot.ts';
import { systemClock } from '../time/clock.ts';
import { type ApiOptions, askApi, serviceAddress } from './api-client.ts';
import { print, type ShowOptions } from './show.ts';
import { ago, showTable } from './table.ts';

/** `hsdo slots`: the list of one service, or of every service. */
export function addSlots(program: Command): void {
  program
    .command('slots [service]')
    .description('show the slot list of a service, or of all')
    .option('--json', 'print the answer as JSON')
    .option('--all', 'show free slots as well')
    .action(
      async (service: string | undefined, options: ShowOptions & { readonly all?: boolean }, command: Command) => {
        const api = command.optsWithGlobals<ApiOptions>();
        const names = service === undefined ? await serviceNames(api) : [service];
        const lists = (await Promise.all(
          names.map((name) => askApi(api, 'GET', serviceAddress(name, 'slots'))),
        )) as SlotList[];
        const now = systemClock.now();
        print(options, service === undefined ? lists : lists[0], () =>
          lists.map((list) => showList(list.service, list.slots, options.all === true, now)).join('\n\n'),
        );
      },
    );
}

interface SlotList {
  readonly service: string;
  readonly slots: readonly Slot[];
}

async function serviceNames(api: ApiOptions): Promise<string[]> {
  const status = (await askApi(api, 'GET', '/api/v1/status')) as StatusView;
  return status.services.map(({ name }) => name);
}

/** The list of one service for people. Only where something is checked there is a column for health. */
export function showList(service: string, slots: readonly Slot[], withFree: boolean, now: number): string {
  const shown = slots.filter((slot) => withFree || slot.state !== 'free');
  const isChecked = slots.some((slot) => slot.state === 'taken' && (slot.health ?? slot.out) !== undefined);
  const head = [
    'SLOT',
    'STATE',
    'TARGET',
    'ADDRESS',
    'PORT',
    'GROUP',
    'WEIGHT',
    'SINCE',
    ...(isChecked ? ['HEALTH'] : []),
  ];
  const rows = shown.map((slot) => [...showSlot(slot, now), ...(isChecked ? [showHealth(slot)] : [])]);
  const free = slots.filter(({ state }) => state === 'free').length;
  return `${service}: ${slots.length - free} of ${slots.length} slots occupied\n${showTable(head, rows)}`;
}

/** Why it is in or out, in a word or two: the verdict, or that it is new or stands by. */
function showHealth(slot: Slot): string {
  if (slot.state !== 'taken') return '-';
  const { health, out } = slot;
  if (out === 'new' || out === 'standby') return out;
  if (health === undefined) return out ?? '-';
  return { up: 'up', down: `down ${health.code}`, undecided: '?' }[health.verdict];
}

function showSlot(slot: Slot, now: number): (string | number)[] {
  if (slot.state === 'free')
    return [
      slot.index,
      'free',
      slot.last === undefined ? '-' : `(${slot.last.id})`,
      '-',
      '-',
      '-',
      '-',
      ago(slot.last?.leftAt, now),
    ];
  const { target, index, weight, joinedAt } = slot;
  const state = slot.state === 'taken' ? (slot.override ?? 'taken') : 'draining';
  return [index, state, target.name, target.address, target.port ?? '-', target.group, weight, ago(joinedAt, now)];
}
