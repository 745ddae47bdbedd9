import { isSameVote, type Vote } from '../model/ballot.ts';
import type { Health } from './health.ts';

/** One moment on both clocks of an observer, milliseconds. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** A time that moved by less than this share is told as it was: every new vote is a write to the store. */
const tellingShare = 0.1;

/**
 * What the observer tells about a target, `undefined` as long as it knows nothing. Where nothing worth telling
 * differs from the vote before it is that very object.
 *
 * @param about - The place that was asked.
 * @param before - The vote told last: it keeps its beginning while the opinion is the same, however the wall clock is set
 *   meanwhile, and its times until they are off by more than a tenth.
 */
export function voteOf(health: Health, before: Vote | undefined, at: Moment, about?: string): Vote | undefined {
  if (health.state === undefined) return undefined;
  const isSameOpinion = before?.health === health.state;
  const connectMs = told(health.connectMs, before?.connectMs);
  const totalMs = told(health.totalMs, before?.totalMs);
  const vote: Vote = {
    health: health.state,
    ...(about === undefined ? {} : { about }),
    code: health.code,
    sinceAt: isSameOpinion ? before.sinceAt : Math.round(at.wall - (at.monotonic - health.sinceAt)),
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(totalMs === undefined ? {} : { totalMs }),
    ...(health.role === undefined ? {} : { role: health.role }),
    ...(health.timeline === undefined ? {} : { timeline: health.timeline }),
  };
  return before !== undefined && isSameVote(before, vote) ? before : vote;
}

/**
 * The opinion with which an observer goes on after a restart, from the vote that it left: one lost packet does not
 * turn it, `fall` failures or `rise` passes in a row do. A record of falls is not kept.
 */
export function restoredHealth(vote: Vote, at: Moment): Health {
  return {
    state: vote.health,
    passes: 0,
    fails: 0,
    // A vote from the future, by a clock that was set back since, began just now.
    sinceAt: at.monotonic - Math.max(0, at.wall - vote.sinceAt),
    code: vote.code,
    message: '',
    ...(vote.connectMs === undefined ? {} : { connectMs: vote.connectMs }),
    ...(vote.totalMs === undefined ? {} : { totalMs: vote.totalMs }),
    ...(vote.role === undefined ? {} : { role: vote.role }),
    ...(vote.timeline === undefined ? {} : { timeline: vote.timeline }),
    flaps: 0,
    holdMs: 0,
  };
}

function told(measured: number | undefined, before: number | undefined): number | undefined {
  if (measured === undefined) return undefined;
  if (before !== undefined && Math.abs(measured - before) <= tellingShare * Math.max(measured, before, 1))
    return before;
  return measured < 10 ? Math.round(measured * 10) / 10 : Math.round(measured);
}
