/**
 * One discovered address of a service. Values are already parsed: see `discover/accept.ts`, which is the only
 * place that makes one from what a source reported.
 */
export interface Target {
  /** Stable identity given by the source, such as an instance id: the slot follows it. */
  readonly id: string;
  /** The name that people know it by. */
  readonly name: string;
  /** Canonical IPv4 or IPv6 address. */
  readonly address: string;
  /** The target's own port, 1 to 65535; absent when the source knows none and the backend's port applies. */
  readonly port?: number;
  /** The Auto Scaling group, Consul service or list it came from; HSDO's `ASG`. */
  readonly group: string;
  /** Availability zone or datacenter. */
  readonly zone?: string;
  /** Full weight of this target, 1 to 256, where the source names one; else the service's maximum applies. */
  readonly weight?: number;
  /** 0 to 65535, where the source names one: of those that are up the highest number comes first; absent means 0. */
  readonly priority?: number;
}

/** A value that a source reported and that is not a target, with the reason; shown, counted and left out. */
export interface Refusal {
  /** Name or id as reported, made printable and shortened to 80 characters. */
  readonly name: string;
  /** What is wrong: the field, the value and what was expected. */
  readonly reason: string;
}

/** True when nothing about the target differs. */
export function isSameTarget(one: Target, other: Target): boolean {
  return (
    one === other ||
    (one.id === other.id &&
      one.name === other.name &&
      one.address === other.address &&
      one.port === other.port &&
      one.group === other.group &&
      one.zone === other.zone &&
      one.weight === other.weight &&
      one.priority === other.priority)
  );
}
