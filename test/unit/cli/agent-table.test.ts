import { expect, it } from 'vitest';
import type { ObserverView } from '../../../src/api/view.ts';
import { agentTable } from '../../../src/cli/agent-table.ts';
import { observerTrouble } from '../../../src/cli/status.ts';

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
      agent('named', { isFresh: false, isNamed: true }),
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
    'named | gone | - | - | agents.ids',
  ]);
});

it('says of an agent that the service names where its name must go, for nothing else strikes it off', () => {
  const gone = { isFresh: false, isTransient: false };
  expect(observerTrouble(agent('named', { ...gone, isNamed: true }))).toEqual([
    'observer named is silent, its votes are missing; if it will not come back: take it out of agents.ids',
  ]);
  expect(observerTrouble(agent('other', gone)).join()).toContain('hsdo decommission other');
});

it('is not there where nobody is an agent', () => {
  expect(agentTable([{ ...agent('node'), kind: 'server' }], at)).toEqual([]);
});
