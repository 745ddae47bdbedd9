import { expect, it } from 'vitest';
import type { ObserverView } from '../../../src/api/view.ts';
import { agentTable } from '../../../src/cli/agent-table.ts';

const at = 1_000_000;
const agent = (id: string, fields: Partial<ObserverView> = {}): ObserverView => ({
  id,
  kind: 'agent',
  isFresh: true,
  isTransient: true,
  ...fields,
});

it('shows of each agent whether it votes, when it was heard last, and how far its clock is off', () => {
  const [, text = ''] = agentTable(
    [
      agent('near', { lastSeenAt: at - 3000, clockOffsetMs: -400 }),
      agent('early', { lastSeenAt: at - 1000, clockOffsetMs: 90_400 }),
      agent('quiet', { abstains: 'it has reported nothing', clockOffsetMs: -7000, isTransient: false }),
      agent('lost', { isFresh: false }),
      { ...agent('node'), kind: 'server' },
    ],
    at,
  );
  expect(text.split('\n').map((line) => line.split(/ {2,}/).join(' | '))).toEqual([
    'AGENT | STATE | LAST REPORT | CLOCK | LEAVES BY',
    'near | votes | 3 s | in step | timeout',
    'early | votes | 1 s | 90 s ahead | timeout',
    'quiet | silent | - | 7 s behind | decommission',
    'lost | gone | - | - | timeout',
  ]);
});

it('is not there where nobody is an agent', () => {
  expect(agentTable([{ ...agent('node'), kind: 'server' }], at)).toEqual([]);
});
