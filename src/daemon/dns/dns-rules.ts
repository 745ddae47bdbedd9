import type { SelectionKind } from '../../assign/selection.ts';
import type { ServiceConfig } from '../../config/schema.ts';
import type { DnsConfig } from '../../deliver/dns/config.ts';
import type { RecordOrder } from '../../deliver/dns/records/records.ts';
import type { ServiceRecordRules } from '../../deliver/dns/records/service-records.ts';

/** How the addresses of a service are given out, Infinity for all of them in one answer. */
export interface AnswerRules {
  readonly order: RecordOrder;
  readonly answers: number;
}

/**
 * | `select`        | answer                                                                 |
 * | --------------- | ---------------------------------------------------------------------- |
 * | `all`           | all, each answer begins one further                                    |
 * | `round-robin`   | one, the next each time (HAnoProxY)                                    |
 * | `weighted`      | one, as often as its weight says                                       |
 * | `priority`      | all of the highest priority, each answer begins one further (PyFailoverDNS) |
 * | `active-passive`| the active one; in a panic that serves `all`, all as they stand        |
 * | `best-rtt`      | the nearest (har)                                                      |
 * | `group-rtt-rr`  | one of the near ones, the next each time (har)                         |
 */
const bySelection: { readonly [K in SelectionKind]: AnswerRules } = {
  all: { order: 'turns', answers: Number.POSITIVE_INFINITY },
  'round-robin': { order: 'turns', answers: 1 },
  weighted: { order: 'weighted', answers: 1 },
  priority: { order: 'turns', answers: Number.POSITIVE_INFINITY },
  'active-passive': { order: 'fixed', answers: Number.POSITIVE_INFINITY },
  'best-rtt': { order: 'fixed', answers: 1 },
  'group-rtt-rr': { order: 'turns', answers: 1 },
};

/** The rules of the service's selection; `dns.answers` of the service sets another number. */
export function answerRules({ select, dns: { answers } }: Pick<ServiceConfig, 'select' | 'dns'>): AnswerRules {
  const usual = bySelection[select.kind];
  if (answers === undefined) return usual;
  return { ...usual, answers: answers === 'all' ? Number.POSITIVE_INFINITY : answers };
}

/** True where the answer depends on how far the targets are from this machine. */
export function isRanked({ select: { kind } }: Pick<ServiceConfig, 'select'>): boolean {
  return kind === 'best-rtt' || kind === 'group-rtt-rr';
}

/** Everything that the configuration says about the records of a service. */
export function serviceRecordRules(service: ServiceConfig, dns: DnsConfig): ServiceRecordRules {
  const { whenAllDown, dns: own } = service;
  const fallbackTtlSeconds = typeof whenAllDown === 'object' ? whenAllDown.ttlSeconds : undefined;
  const defaultPort = defaultPortOf(service);
  return {
    ...answerRules(service),
    ttlSeconds: own.ttlSeconds ?? dns.ttlSeconds,
    doubtTtlSeconds: own.doubtTtlSeconds ?? dns.doubtTtlSeconds,
    otherTypes: own.otherTypes ?? dns.otherTypes,
    ...(fallbackTtlSeconds === undefined ? {} : { fallbackTtlSeconds }),
    ...(defaultPort === undefined ? {} : { defaultPort }),
  };
}

/** Of targets whose source knows no port: what HAProxy would take for them, else where the check asks. */
function defaultPortOf({ haproxy, check }: ServiceConfig): number | undefined {
  const [backend] = haproxy?.backends ?? [];
  if (backend !== undefined) return backend.port ?? backend.defaultPort;
  return check !== undefined && 'port' in check ? check.port : undefined;
}
