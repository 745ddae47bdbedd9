import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../time/clock.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

/** Beyond this a person should look, in seconds; a Date header is a whole second and the way takes its time. */
const unsureSeconds = 5;
/** AWS refuses requests that were signed by a clock further off (AWS General Reference, Signature Version 4). */
const refusedSeconds = 300;
const sameClock = 'the same within a few seconds';
const remedy = 'let chrony or systemd-timesyncd keep the clock (`timedatectl`)';

/** Who has a clock and tells it by HTTP: the store, sources, and AWS. */
export function clockPlaces({ store, services, aws }: Config): readonly string[] {
  const ofSources = services.flatMap(({ source }) =>
    source.flatMap((one) => {
      if (one.kind === 'consul') return [one.url];
      return one.kind === 'aws' ? [awsPlace('autoscaling', one.region ?? aws.region, one.endpoint)] : [];
    }),
  );
  const ofStore =
    store.kind === 'dynamodb'
      ? [awsPlace('dynamodb', store.region ?? aws.region, store.endpoint)]
      : store.kind === 'consul'
        ? (store.endpoints ?? store.url ?? ['127.0.0.1:8500'])
        : store.kind === 'etcd'
          ? (store.endpoints ?? store.hosts ?? [])
          : [];
  return [...new Set([...ofStore, ...ofSources].flatMap((text) => (text === undefined ? [] : [urlOf(text)])))];
}

const awsPlace = (service: string, region: string | undefined, endpoint: string | undefined) =>
  endpoint ?? (region === undefined ? undefined : `https://${service}.${region}.amazonaws.com`);
const urlOf = (text: string) => new URL(/^https?:/i.test(text) ? text : `http://${text}`).origin;

/** This machine's clock against the others', by the header Date of their answers (RFC 9110, section 6.6.1). */
export function clockExaminations(config: Config, clock: Clock): readonly Examination[] {
  return clockPlaces(config).map((place) => ({
    about: `clock against ${place}`,
    remedy: 'see what is said of the store and the sources',
    look: async (signal) => {
      const date = await dateAt(place, signal).catch(() => undefined);
      signal.throwIfAborted();
      // That it cannot be reached is said where it is needed.
      return date === undefined ? [] : [clockFinding(`clock against ${place}`, clock.now() - date)];
    },
  }));
}

/** The Date of whatever is answered, refusals too. Certificates are not looked at: nothing is told, and little believed. */
function dateAt(place: string, signal: AbortSignal): Promise<number | undefined> {
  const url = new URL(place);
  return new Promise((resolve, reject) => {
    const options = { method: 'HEAD', signal };
    const request =
      url.protocol === 'https:'
        ? requestTls(url, { ...options, rejectUnauthorized: false })
        : requestPlain(url, options);
    request.once('error', reject);
    request.once('response', (answer) => {
      answer.resume();
      const date = Date.parse(answer.headers.date ?? '');
      resolve(Number.isNaN(date) ? undefined : date);
    });
    request.end();
  });
}

/** What an offset means: milliseconds that this machine's clock is ahead. */
export function clockFinding(about: string, aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const says = differenceOf(aheadMs);
  if (says === undefined) return ok(about, sameClock);
  if (seconds >= refusedSeconds)
    return fault(about, `${says}: AWS refuses what is signed so, certificates may not hold`, remedy);
  return warning(about, `${says}: times of events and maintenance windows are off`, remedy);
}

/** What an offset from a server means to an agent: milliseconds that this machine's clock is ahead. */
export function agentClockFinding(about: string, aheadMs: number): Finding {
  const says = differenceOf(aheadMs);
  if (says === undefined) return ok(about, sameClock);
  return warning(
    about,
    `${says}: servers of hsdo go by the age of a report, but a master of PyFailoverDNS by this clock`,
    remedy,
  );
}

/** How far a clock is off, in words; `undefined`: not worth one. */
function differenceOf(aheadMs: number): string | undefined {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  return seconds <= unsureSeconds ? undefined : `this machine is ${seconds} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}
