/** How the entry point of a service is switched, as the leader knows it; instants are wall-clock milliseconds. */
export interface SwitchView {
  /** Kind of the switcher. */
  readonly kind: string;
  /** What the outside points at, as last read: name or address of a target, or what it has instead of one. Absent: nothing. */
  readonly current?: string;
  /** Name of the target that it is to point at; absent while there is none. */
  readonly wanted?: string;
  /** Absent while one of the two is not known. */
  readonly agrees?: boolean;
  readonly lastSwitchAt?: number;
  /** When the other side last did as it was asked, a reading included. */
  readonly lastSuccessAt?: number;
  /** Absent when the last call worked. */
  readonly lastError?: string;
  /** When it is tried again, after a failure or in the delay after a switch. */
  readonly nextTryAt?: number;
}
