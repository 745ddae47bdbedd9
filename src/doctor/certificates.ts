import { X509Certificate } from 'node:crypto';
import { readTls, type TlsFiles } from '../api/certificate.ts';
import type { Clock } from '../time/clock.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

/** Renewals happen earlier than that; one that did not may be noticed before clients notice. */
const soonMs = 14 * 86_400_000;
const renew = 'renew it: the files are read again when they change';

/** A block of a configuration that listens, by its name there. */
export type Listeners = Readonly<
  Record<string, { readonly listen?: string | undefined; readonly tls?: TlsFiles | undefined }>
>;

/** Certificates that hsdo shows to others: whether this user may read them, they fit their keys, and for how long they hold. */
export function certificateExaminations(listeners: Listeners, clock: Clock): readonly Examination[] {
  return Object.entries(listeners).flatMap(([name, { listen, tls }]): readonly Examination[] => {
    if (tls === undefined || listen === 'off') return [];
    const about = `certificate of ${name}.tls`;
    const remedy = `name a certificate and its key in PEM form that this user may read: ${name}.tls`;
    const look = async () => {
      const { cert } = await readTls(tls);
      return [certificateFinding(about, new X509Certificate(String(cert)), clock.now())];
    };
    return [{ about, remedy, look }];
  });
}

/** For how long a certificate holds; `nowMs` since 1970. */
export function certificateFinding(
  about: string,
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  nowMs: number,
): Finding {
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  if (nowMs > toMs) return fault(about, `it ended on ${dayOf(toMs)}`, renew);
  if (nowMs < fromMs) return fault(about, `it holds from ${dayOf(fromMs)} on`, 'look at the clock of this machine');
  if (toMs - nowMs < soonMs) return warning(about, `it ends on ${dayOf(toMs)}`, renew);
  return ok(about, `fits its key, and holds until ${dayOf(toMs)}`);
}

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
