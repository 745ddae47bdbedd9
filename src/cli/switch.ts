import type { SwitchView } from '../api/switch-view.ts';
import type { ServiceView } from '../api/view.ts';
import { ago, agoInWords, showTable } from './table.ts';

/** Where an entry point points: `ep-1 (agrees)`, or what it is and what is wanted. */
export function pointing({ current, wanted, agrees, lastSuccessAt }: SwitchView): string {
  if (lastSuccessAt === undefined) return 'not read yet';
  if (agrees === true) return `${wanted} (agrees)`;
  const found = current ?? 'nothing';
  return wanted === undefined ? `${found} (no target is active)` : `${found} (wanted: ${wanted})`;
}

/** The line of `hsdo service`; none for a service that switches nothing, or at a server that does not lead. */
export function showSwitch({ switch: view }: Pick<ServiceView, 'switch'>, at: number): readonly string[] {
  if (view === undefined) return [];
  const next = view.nextTryAt === undefined ? '' : `, next try in ${ago(at, Math.max(at, view.nextTryAt))}`;
  const error = view.lastError === undefined ? '' : `, fails: ${view.lastError}`;
  const read = view.lastSuccessAt === undefined ? '' : `, read ${agoInWords(view.lastSuccessAt, at)}`;
  return [`switch     ${view.kind}: ${pointing(view)}${read}${error}${next}`];
}

/** The table of `hsdo status`; nothing where no service switches anything, as far as the asked server knows. */
export function switchTable(services: readonly ServiceView[], at: number): readonly string[] {
  const rows = services.flatMap(({ name, switch: view }) =>
    view === undefined
      ? []
      : [
          [
            name,
            view.kind,
            pointing(view),
            ago(view.lastSuccessAt, at),
            ago(view.lastSwitchAt, at),
            view.lastError ?? '-',
          ],
        ],
  );
  return rows.length === 0
    ? []
    : ['', showTable(['SERVICE', 'SWITCH', 'POINTS AT', 'READ', 'SWITCHED', 'ERROR'], rows)];
}
