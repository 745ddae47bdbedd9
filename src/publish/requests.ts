import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { type Override, overrides } from '../model/slot.ts';
import type { Store } from '../store/store.ts';

/** What operators ask of the leader; kept in the store, so any server takes it and every leader honours it. */
export interface Requests {
  /** Everything asked for one service. Records that cannot be read are left out and named in `unreadable`. */
  read(service: string, signal: AbortSignal): Promise<ServiceRequests>;
  /** Sets or (with `undefined`) ends the override of one target. */
  override(
    service: string,
    targetId: string,
    state: Override | undefined,
    by: string,
    at: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Lets go of the hold with this token. */
  release(service: string, token: string, by: string, at: number, signal: AbortSignal): Promise<void>;
  /**
   * Lets the service forget which primaries it had. The token names this very wish: it lies here for good, and whoever
   * honours it keeps the token with the list, so that it never counts twice.
   */
  forgetPrimary(service: string, token: string, by: string, at: number, signal: AbortSignal): Promise<void>;
  /**
   * Wants one target of an active-passive service to be the active one until this is purged (`undefined`), or the target goes
   * down. The token names this very wish, as above.
   */
  switchover(
    service: string,
    token: string,
    targetId: string | undefined,
    by: string,
    at: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Puts the service as a whole under maintenance until then (wall-clock milliseconds), or (with `undefined`) ends that. */
  maintenance(service: string, untilAt: number | undefined, by: string, at: number, signal: AbortSignal): Promise<void>;
  /** Optional hint that something was asked. */
  changed?(signal: AbortSignal): Promise<void>;
}

export interface OverrideRequest {
  readonly targetId: string;
  readonly state: Override;
  /** Who asked. */
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** A wish for an active target; without one, that no such wish counts any more. */
export interface SwitchoverRequest extends ForgetRequest {
  readonly targetId?: string;
}

/** Maintenance of a service as a whole, by hand. */
export interface MaintenanceRequest {
  /** Wall-clock milliseconds. */
  readonly untilAt: number;
  /** Who asked. */
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** A wish to forget the primaries of a service. */
export interface ForgetRequest {
  readonly token: string;
  /** Who asked. */
  readonly by: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

export interface ServiceRequests {
  readonly overrides: readonly OverrideRequest[];
  readonly releasedToken?: string;
  /** The last one, honoured or not. */
  readonly forgetPrimary?: ForgetRequest;
  /** The last one, honoured or not. */
  readonly switchover?: SwitchoverRequest;
  /** The last one, over or not. */
  readonly maintenance?: MaintenanceRequest;
  readonly unreadable: readonly string[];
}

const overrideRecord = z.object({ state: z.enum(overrides), by: z.string().max(200), at: z.number() });
const releaseRecord = z.object({ token: z.string().max(200), by: z.string().max(200), at: z.number() });
const forgetRecord = z.object({ token: z.string().min(1).max(200), by: z.string().max(200), at: z.number() });
const switchoverRecord = forgetRecord.extend({ targetId: z.string().min(1).max(255).exactOptional() });
const maintenanceRecord = z.object({ untilAt: z.number().min(0), by: z.string().max(200), at: z.number() });

const root = 'request/';
const overridePrefix = (service: string) => `${root}${service}/override/`;
const releaseKey = (service: string) => `${root}${service}/release`;
const forgetKey = (service: string) => `${root}${service}/forget-primary`;
const switchoverKey = (service: string) => `${root}${service}/switchover`;
const maintenanceKey = (service: string) => `${root}${service}/maintenance`;

function parse<T>(schema: z.ZodType<T>, value: string): T | undefined {
  try {
    return schema.parse(JSON.parse(value));
  } catch {
    return undefined;
  }
}

export function createRequests(store: Store): Requests {
  const put = async (key: string, value: unknown, signal: AbortSignal) => {
    await store.commit([{ op: 'put', key, value: JSON.stringify(value) }], signal);
  };
  const { changed } = store;
  return {
    async read(service, signal) {
      const entries = await store.list(`${root}${service}/`, signal);
      const found: OverrideRequest[] = [];
      const unreadable: string[] = [];
      let releasedToken: string | undefined;
      let forgetPrimary: ForgetRequest | undefined;
      let switchover: SwitchoverRequest | undefined;
      let maintenance: MaintenanceRequest | undefined;
      for (const { key, value } of entries) {
        const prefix = overridePrefix(service);
        const override = key.startsWith(prefix) ? parse(overrideRecord, value) : undefined;
        const release = key === releaseKey(service) ? parse(releaseRecord, value) : undefined;
        const forget = key === forgetKey(service) ? parse(forgetRecord, value) : undefined;
        const wish = key === switchoverKey(service) ? parse(switchoverRecord, value) : undefined;
        const pause = key === maintenanceKey(service) ? parse(maintenanceRecord, value) : undefined;
        if (override) found.push({ targetId: decodeURIComponent(key.slice(prefix.length)), ...override });
        else if (release) releasedToken = release.token;
        else if (forget) forgetPrimary = forget;
        else if (wish) switchover = wish;
        else if (pause) maintenance = pause;
        else unreadable.push(key);
      }
      return {
        overrides: found,
        unreadable,
        ...(releasedToken === undefined ? {} : { releasedToken }),
        ...(forgetPrimary === undefined ? {} : { forgetPrimary }),
        ...(switchover === undefined ? {} : { switchover }),
        ...(maintenance === undefined ? {} : { maintenance }),
      };
    },
    async override(service, targetId, state, by, at, signal) {
      const key = overridePrefix(service) + encodeURIComponent(targetId);
      if (state) await put(key, { state, by, at }, signal);
      else await store.commit([{ op: 'delete', key }], signal);
    },
    release: (service, token, by, at, signal) => put(releaseKey(service), { token, by, at }, signal),
    forgetPrimary: (service, token, by, at, signal) => put(forgetKey(service), { token, by, at }, signal),
    switchover: (service, token, targetId, by, at, signal) =>
      put(switchoverKey(service), { token, ...(targetId === undefined ? {} : { targetId }), by, at }, signal),
    async maintenance(service, untilAt, by, at, signal) {
      const key = maintenanceKey(service);
      if (untilAt === undefined) await store.commit([{ op: 'delete', key }], signal);
      else await put(key, { untilAt, by, at }, signal);
    },
    ...(changed ? { changed: (signal: AbortSignal) => changed.call(store, root, signal) } : {}),
  };
}

/** Where only HSDO's table is configured there is no place for requests. */
export function refuseRequests(): Requests {
  const refuse = async () => {
    throw new HsdoError(
      'rejected',
      "Cannot keep an operator's request: HSDO's table has no place for it; configure a second table (store.table, or DYNAMODB_STORE_TABLE_NAME)",
    );
  };
  return {
    read: async () => ({ overrides: [], unreadable: [] }),
    override: refuse,
    release: refuse,
    forgetPrimary: refuse,
    switchover: refuse,
    maintenance: refuse,
  };
}
