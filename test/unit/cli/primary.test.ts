import { describe, expect, it } from 'vitest';
import type { TargetView } from '../../../src/api/view.ts';
import { primaryTrouble, showPrimary } from '../../../src/cli/primary.ts';
import type { Vote } from '../../../src/model/ballot.ts';
import type { ProbeCode } from '../../../src/model/probe.ts';
import { startAt } from '../../fixtures/lists.ts';
import { vote } from '../../fixtures/votes.ts';

function view(id: string, one: Vote, verdict: 'up' | 'down', code: ProbeCode = 'ok'): TargetView {
  const votes = [{ observer: 's1', ...one }];
  const place = { id, name: `db-${id}`, address: '10.0.0.1', group: 'db', slot: 1, state: 'taken', servingWeight: 0 };
  return { ...place, state: 'taken', health: { verdict, code, sinceAt: startAt }, votes };
}
const primary = (timeline?: number) => vote('up', { role: 'primary', ...(timeline === undefined ? {} : { timeline }) });
const refused = (id: string, timeline?: number) => view(id, primary(timeline), 'down', 'second-primary');
const trouble = (targets: readonly TargetView[], highestTimeline?: number) =>
  primaryTrouble({ name: 'db', targets, primary: highestTimeline === undefined ? {} : { highestTimeline } });

describe('what hsdo service tells of primaries', () => {
  it('is the last one by its name, or by its id once it is gone, with the newest timeline', () => {
    const targets = [view('a', primary(2), 'up')];
    expect(showPrimary({ targets })).toEqual([]);
    expect(showPrimary({ targets, primary: { forgotten: 't1' } })).toEqual([]);
    expect(showPrimary({ targets, primary: { lastId: 'a', highestTimeline: 2 } })).toEqual([
      'primary    last served db-a, newest timeline 2',
    ]);
    expect(showPrimary({ targets, primary: { lastId: 'z' } })).toEqual(['primary    last served z']);
    expect(showPrimary({ targets, primary: { highestTimeline: 2 } })).toEqual([
      'primary    last served unknown, newest timeline 2',
    ]);
  });

  it('is how to forget the past while one alone is refused for it', () => {
    const gone = view('b', vote('down'), 'down', 'refused');
    expect(trouble([refused('a', 1), gone], 7)).toEqual([
      'db-a is a primary on timeline 1, but 7 is known, so it is refused as an old one; if the group was set up anew: hsdo forget-primary db',
    ]);
    expect(trouble([refused('a', 1), refused('b', 2)], 7).join()).toContain('db-b is a primary on timeline 2');
    expect(trouble([refused('a')]).join()).toContain('a primary without a timeline, but another one was served');
  });

  it('is to take one out where forgetting would not help', () => {
    expect(trouble([refused('a', 3), refused('b', 3)], 3)).toEqual([
      'db-a, db-b call themselves primary, and nothing tells which of them is the right one; take the wrong ones out: hsdo override db TARGET drain',
    ]);
  });

  it('is nothing while one of them is served, or none calls itself one', () => {
    expect(trouble([refused('a', 1), view('b', primary(2), 'up')], 2)).toEqual([]);
    expect(trouble([view('a', vote('down'), 'down', 'second-primary')], 2)).toEqual([]);
    expect(trouble([])).toEqual([]);
  });
});
