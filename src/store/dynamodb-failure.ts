import { HsdoError } from '../model/error.ts';

/** What a failed request tells about its write: surely refused, surely not done and worth another try, or nothing. */
export type Verdict = 'condition' | 'contention' | 'refused' | 'unknown';

interface Reason {
  readonly Code?: string | undefined;
}

const refusals = new Set([
  'AccessDeniedException',
  'IdempotentParameterMismatchException',
  'InvalidSignatureException',
  'ItemCollectionSizeLimitExceededException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'ValidationException',
]);
const contentions = new Set(['TransactionConflict', 'TransactionConflictException', 'TransactionInProgressException']);

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Why each action of a cancelled transaction failed, in the order of its actions. */
export function cancellationReasons(error: unknown): readonly Reason[] {
  if (!(error instanceof Error) || !('CancellationReasons' in error)) return [];
  return Array.isArray(error.CancellationReasons) ? (error.CancellationReasons as Reason[]) : [];
}

/** Reads what became of a write from its failure. */
export function verdictOf(error: unknown): Verdict {
  const codes = cancellationReasons(error).map((reason) => reason.Code ?? '');
  if (nameOf(error) === 'ConditionalCheckFailedException' || codes.includes('ConditionalCheckFailed'))
    return 'condition';
  if (codes.includes('ValidationError')) return 'refused';
  if (contentions.has(nameOf(error)) || codes.some((code) => contentions.has(code))) return 'contention';
  return refusals.has(nameOf(error)) ? 'refused' : 'unknown';
}

/** True when more than one request was made, so that an earlier one may have done what the last one was refused. */
export function wasRepeated(error: unknown): boolean {
  const metadata = error instanceof Error && '$metadata' in error ? (error.$metadata as { attempts?: number }) : {};
  return (metadata.attempts ?? 1) > 1;
}

/**
 * The failure in our words: `rejected` where only a person can help, `unavailable` otherwise. A missing table and one
 * with other keys are told with what is wanted.
 */
export function awsFailure(action: string, wantedKey: string, error: unknown): HsdoError {
  const name = nameOf(error);
  const wanted = `expected one in this region and account with the key ${wantedKey}`;
  const code = verdictOf(error) === 'refused' ? 'rejected' : 'unavailable';
  if (name === 'ResourceNotFoundException') {
    return new HsdoError(code, `${action}: there is no such table; ${wanted}`, { cause: error });
  }
  const text = error instanceof Error ? error.message : '';
  const hint = name === 'ValidationException' && /\bkey\b|schema/i.test(text) ? `; ${wanted}` : '';
  return new HsdoError(code, `${action}: ${name || 'failed'}${hint}`, { cause: error });
}
