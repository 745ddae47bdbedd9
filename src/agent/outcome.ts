import type { AgentServer } from './config.ts';
import { type Answer, showAnswer } from './exchange.ts';
import type { Unsent } from './outbox.ts';
import { type Receipt, receiptSchema } from './wire.ts';

/** What became of reports that were sent together. */
export type Outcome =
  /** The server has them, but for those it refused, which cannot help to send again, and those it has no room for yet. */
  | {
      readonly kind: 'settled';
      readonly refused: readonly Refused[];
      readonly postponed: readonly Refused[];
      readonly receipt: Receipt | undefined;
    }
  /** It takes one report at a time, as PyFailoverDNS's master does. */
  | { readonly kind: 'singly' }
  /** It takes fewer at a time. */
  | { readonly kind: 'smaller' }
  /** It has none of them now. */
  | { readonly kind: 'later'; readonly reason: string; readonly waitMs: number };

export interface Refused {
  readonly unsent: Unsent;
  /** `404: unknown domain "web"` */
  readonly reason: string;
}

/** Codes that say that these very reports are not wanted. */
const refusals: readonly number[] = [400, 403, 404, 413, 422];

/** Reads the answer to reports, sent as a list or (`isList` false) the only one by itself. */
export function outcomeOf(
  answer: Answer,
  sent: readonly Unsent[],
  { isList, server }: { readonly isList: boolean; readonly server: Pick<AgentServer, 'token'> },
): Outcome {
  const { status } = answer;
  const receipt = receiptSchema.safeParse(answer.body).data;
  if (receipt?.refused !== undefined && (status < 300 || refusals.includes(status))) {
    const notTaken = receipt.refused.flatMap(({ index, code, error }) => {
      const unsent = sent[index];
      const reason = showAnswer({ status: code, body: { detail: error } }, server);
      return unsent === undefined ? [] : [{ unsent, reason, isFinal: refusals.includes(code) }];
    });
    const refused = notTaken.filter(({ isFinal }) => isFinal);
    const postponed = notTaken.filter(({ isFinal }) => !isFinal);
    return { kind: 'settled', refused, postponed, receipt };
  }
  // Whatever else answers 200, such as a page that wants somebody to log in, has not taken the reports.
  if (status >= 200 && status < 300 && receipt !== undefined)
    return { kind: 'settled', refused: [], postponed: [], receipt };
  if (isList && status === 422) return { kind: 'singly' };
  if (isList && status === 413 && sent.length > 1) return { kind: 'smaller' };
  const reason = showAnswer(answer, server);
  if (refusals.includes(status))
    return { kind: 'settled', refused: sent.map((unsent) => ({ unsent, reason })), postponed: [], receipt: undefined };
  const said = status < 300 ? `${reason}, but not as a server for agents does` : reason;
  return { kind: 'later', reason: `it answered ${said}`, waitMs: answer.retryAfterMs ?? 0 };
}
