import type { CandidateView } from '../../api/cluster-view.ts';
import type { Frame } from '../../api/live.ts';
import type { Override } from '../../model/slot.ts';
import type { Connection } from './feed.ts';
import type { Wish } from './session.ts';

/** A question on top of the page. */
export type Question =
  | { readonly kind: 'token' }
  | {
      readonly kind: 'target';
      readonly service: string;
      readonly id: string;
      readonly name: string;
      readonly held?: Override;
    }
  | {
      readonly kind: 'switchover';
      readonly service: string;
      /** Absent while the API is asked for them. */
      readonly candidates?: readonly CandidateView[];
    }
  | {
      readonly kind: 'confirm';
      readonly title: string;
      readonly text: string;
      readonly verb: string;
      readonly wish: Wish;
    };

/** All that the page knows. */
export interface Seen {
  readonly frame: Partial<Frame>;
  /** When the frame came, on the page's monotonic clock; absent before the first. */
  readonly receivedAt?: number;
  readonly connection: Connection;
  /** Why there is no connection. */
  readonly why?: string;
  /** The service that is shown in full. */
  readonly service?: string;
  /** Whether changes may be asked for; unknown until the API said so. */
  readonly mayChange: boolean;
  readonly question?: Question;
  readonly isBusy: boolean;
  /** Why the last wish was refused. */
  readonly refusal?: string;
  /** What became of the last wish. */
  readonly notice?: string;
  readonly showsAllEvents: boolean;
}

/** What the page can be told to do by those who use it. */
export interface Deeds {
  open(question: Question): void;
  close(): void;
  /** Asks the API for a change; `done` is said when it was taken. */
  wish(wish: Wish, done: string): void;
  /** Fetches who may become active. */
  openSwitchover(service: string): void;
  useToken(token: string | undefined): void;
  showAllEvents(): void;
}

/** What a view is made from: what is known, what can be done, and what time it is at the server. */
export interface Scene {
  readonly seen: Seen;
  readonly deeds: Deeds;
  /** Wall-clock milliseconds of the server. */
  readonly now: number;
}

/** True when what is shown is not what is. */
export const isStale = ({ connection, receivedAt }: Seen): boolean =>
  receivedAt !== undefined && connection !== 'live' && connection !== 'polling';
