import { describe, expect, it } from 'vitest';
import type { AgentReport } from '../../../src/agent/wire.ts';
import { startAgentServer } from '../../fixtures/agent-server.ts';
import { until } from '../../fixtures/until.ts';
import { reportOf, stage } from './sending-stage.ts';

describe('reports that a server refuses', () => {
  it('are told once for each reason, without the token, counted, and not sent again', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = ({ body }) => {
      const refused = (JSON.parse(body) as AgentReport[]).flatMap(({ check_name: name }, index) =>
        name === 'good' ? [] : [{ index, code: 404, error: `no domain for the-token and ${name}` }],
      );
      return { status: 200, body: { status: 'ok', accepted: 1, refused } };
    };
    const { sending, settled, log, unsent } = await stage(standIn, { batchSeconds: 0.05 });
    for (const name of ['bad', 'good', 'bad', 'worse']) sending.add(reportOf(name));
    await until('they are settled', () => unsent() === 0 && settled['refused'] === 3);
    expect(settled).toEqual({ accepted: 1, refused: 3 });
    expect(log.lines.map(({ fields }) => [fields['check'], fields['reason']])).toEqual([
      ['bad', '404: no domain for *** and bad'],
      ['worse', '404: no domain for *** and worse'],
    ]);
    expect(standIn.asked).toHaveLength(1);
  });

  it.each([403, 404, 400])('are all of them gone after an answer %i to the list', async (status) => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = () => ({ status, body: { detail: 'go away' } });
    const { sending, settled, log } = await stage(standIn, { batchSeconds: 0.05 });
    for (const name of ['a', 'b']) sending.add(reportOf(name));
    await until('they are refused', () => settled['refused'] === 2);
    expect(log.lines).toHaveLength(1);
  });

  it('for the moment only, as by one that does not know its targets yet, wait while the others are settled', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    let times = 0;
    standIn.answer = ({ body }) => {
      times += 1;
      const count = (JSON.parse(body) as unknown[]).length;
      if (times > 1) return undefined;
      const refused = [
        { index: 1, code: 503, error: 'not yet' },
        { index: 2, code: 404, error: 'no such domain' },
      ];
      return { status: 200, body: { status: 'ok', accepted: count - 2, refused } };
    };
    const { server, sending, settled, unsent } = await stage(standIn, { batchSeconds: 0.05 });
    for (const name of ['a', 'b', 'c']) sending.add(reportOf(name));
    await until('the last is taken', () => server.taken.length === 1);
    expect(server.taken[0]?.check_name).toBe('b');
    await until('nothing waits', () => unsent() === 0 && settled['accepted'] === 2);
    expect(settled).toEqual({ accepted: 2, refused: 1 });
  });

  it('are told of at most a hundred reasons, then of there being more', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = ({ body }) => {
      const refused = (JSON.parse(body) as unknown[]).map((_, index) => ({
        index,
        code: 422,
        error: `reason ${index}`,
      }));
      return { status: 200, body: { status: 'ok', accepted: 0, refused } };
    };
    const { sending, settled, log } = await stage(standIn, { batchSeconds: 0.05 });
    for (let n = 0; n < 150; n += 1) sending.add(reportOf(`check ${n}`));
    await until('they are refused', () => settled['refused'] === 150);
    expect(log.lines).toHaveLength(101);
    expect(log.lines.at(-1)?.message).toBe('a server refuses reports for further reasons, which are not told');
  });

  it('are sent in ever shorter lists while those are too long for it', async () => {
    const standIn = await startAgentServer({ takesLists: true });
    standIn.answer = ({ body }) =>
      (JSON.parse(body) as unknown[]).length > 3 ? { status: 413, body: { detail: 'too long' } } : undefined;
    const { server, sending, settled } = await stage(standIn, { batchSeconds: 0.05 });
    for (let n = 0; n < 10; n += 1) sending.add(reportOf('a', n));
    await until('they are taken', () => server.taken.length === 10);
    expect(server.taken.map(({ latency_ms: latency }) => latency)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await until('that is known', () => settled['accepted'] === 10);
  });
});
