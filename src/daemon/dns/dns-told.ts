import type { DnsView } from '../../api/view.ts';
import type { Problem } from '../../model/problem.ts';
import type { Snapshot } from '../../model/snapshot.ts';

/** What the role tells the rest of its process. */
export interface DnsTold {
  view(): DnsView;
  /** What keeps names from being answered. */
  problems(): readonly Problem[];
  /** The list that a service's names are answered from. */
  current(service: string): Snapshot | undefined;
}
