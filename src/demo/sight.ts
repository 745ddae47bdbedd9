import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { type NamesState, readNames } from './names.ts';
import type { HaproxyServer, HaproxyState } from './runtime.ts';
import { readState } from './runtime.ts';
import { type Endpoint, serviceName } from './settings.ts';

const slotAnswer = z.object({
  slots: z.array(
    z.object({
      index: z.number(),
      state: z.enum(['free', 'taken', 'draining']),
      target: z.object({ name: z.string(), address: z.string(), port: z.number() }).optional(),
      weight: z.number().optional(),
      /** Why the target gets nothing new although its slot is taken. */
      out: z.string().optional(),
      /** What an operator wants of it. */
      override: z.string().optional(),
    }),
  ),
});

const statusAnswer = z.object({
  lease: z.object({ state: z.enum(['leader', 'suspended', 'follower']), epoch: z.number() }).optional(),
  services: z
    .array(
      z.object({
        revision: z.number(),
        hold: z.object({ targets: z.array(z.string()) }).optional(),
      }),
    )
    .min(1),
});

export type ListedSlot = z.output<typeof slotAnswer>['slots'][number];

/** What hsdo's API says. */
export interface ApiState {
  readonly slots: readonly ListedSlot[];
  readonly isLeader: boolean;
  readonly epoch: number;
  readonly revision: number;
  /** Names that the guard keeps. */
  readonly held: readonly string[];
}

/** One look at everything: HAProxy by its own Runtime API, hsdo by its HTTP API and by DNS. What is away is absent. */
export interface Sight {
  readonly haproxy?: HaproxyState;
  readonly api?: ApiState;
  readonly names?: NamesState;
}

export interface Places {
  readonly socketPath: string;
  readonly apiUrl: string;
  readonly dns: Endpoint;
}

const timeoutMs = 2000;

async function askApi<T>(url: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  if (!answer.ok) throw new HsdoError('unavailable', `${url} answered ${answer.status}; expected 200`);
  return schema.parse(await answer.json());
}

async function readApi(apiUrl: string, signal: AbortSignal): Promise<ApiState> {
  const [{ slots }, status] = await Promise.all([
    askApi(`${apiUrl}/api/v1/services/web/slots`, slotAnswer, signal),
    askApi(`${apiUrl}/api/v1/status`, statusAnswer, signal),
  ]);
  const [service] = status.services;
  return {
    slots,
    isLeader: status.lease?.state === 'leader',
    epoch: status.lease?.epoch ?? 0,
    revision: service?.revision ?? 0,
    held: service?.hold?.targets ?? [],
  };
}

/** Looks once. Who does not answer is absent; the signal alone makes it throw. */
export async function look(places: Places, signal: AbortSignal): Promise<Sight> {
  const [haproxy, api, names] = await Promise.allSettled([
    readState(places.socketPath, signal),
    readApi(places.apiUrl, signal),
    readNames(places.dns, serviceName, signal),
  ]);
  signal.throwIfAborted();
  return {
    ...(haproxy.status === 'fulfilled' ? { haproxy: haproxy.value } : {}),
    ...(api.status === 'fulfilled' ? { api: api.value } : {}),
    ...(names.status === 'fulfilled' ? { names: names.value } : {}),
  };
}

/** The slot that the list gives a target, and the same slot in HAProxy. */
export function find(
  sight: Sight,
  name: string,
): { readonly slot: ListedSlot; readonly server: HaproxyServer } | undefined {
  const slot = sight.api?.slots.find((one) => one.target?.name === name);
  const server = sight.haproxy?.servers.find((one) => one.index === slot?.index);
  return slot && server ? { slot, server } : undefined;
}
