import { expect, it } from 'vitest';
import { createListening } from '../../../src/daemon/telling/listening.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';

it('a notifier listens while this process leads, and again after a failure and in the next term', async () => {
  const clock = createFakeClock();
  const log = recordingLog();
  const heard: string[] = [];
  let epoch: number | undefined;
  let fails = false;
  const run = async (signal: AbortSignal) => {
    heard.push(`begins in ${epoch}`);
    if (fails) throw new HsdoError('unavailable', 'the other side is away');
    await clock.sleep(1e9, signal).catch(() => heard.push('ends'));
  };
  const [listen] = createListening({
    name: 'ops',
    notifier: { notify: async () => {}, run },
    lease: { term: () => (epoch === undefined ? undefined : { epoch, fence: String(epoch) }) },
    clock,
    log,
  });
  const controller = new AbortController();
  const running = listen?.(controller.signal);
  await clock.advance(2000);
  expect(heard).toEqual([]);
  epoch = 1;
  await clock.advance(1000);
  epoch = undefined;
  await clock.advance(1000);
  epoch = 2;
  await clock.advance(1000);
  epoch = 3;
  fails = true;
  await clock.advance(2000);
  fails = false;
  await clock.advance(60_000);
  controller.abort();
  await running;
  expect(heard.slice(0, 4)).toEqual(['begins in 1', 'ends', 'begins in 2', 'ends']);
  expect(heard.slice(4)).toEqual(expect.arrayContaining(['begins in 3', 'ends']));
  expect(heard.at(-1)).toBe('ends');
  expect(log.lines.map(({ message }) => message)).toContain('listening fails');
  expect(
    createListening({
      name: 'ops',
      notifier: { notify: async () => {} },
      lease: { term: () => undefined },
      clock,
      log,
    }),
  ).toEqual([]);
});

it('a notifier whose listening went well for long is not kept waiting when it fails again', async () => {
  const clock = createFakeClock();
  const begins: number[] = [];
  let fails = true;
  const run = async (signal: AbortSignal) => {
    begins.push(clock.monotonic());
    if (!fails) await clock.sleep(120_000, signal);
    throw new HsdoError('unavailable', 'the other side is away');
  };
  const [listen] = createListening({
    name: 'ops',
    notifier: { notify: async () => {}, run },
    lease: { term: () => ({ epoch: 1, fence: '1' }) },
    clock,
    log: recordingLog(),
  });
  const controller = new AbortController();
  const running = listen?.(controller.signal);
  await clock.advance(600_000);
  const tries = begins.length;
  expect(tries).toBeLessThan(40);
  fails = false;
  await clock.advance(60_000 + 120_000 + 1000);
  controller.abort();
  await running;
  const [well = 0, next = Number.POSITIVE_INFINITY] = begins.slice(tries);
  expect(next - well).toBeLessThanOrEqual(121_000);
});
