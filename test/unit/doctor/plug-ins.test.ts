import { describe, expect, it } from 'vitest';
import { ok } from '../../../src/doctor/finding.ts';
import { pluggedIn } from '../../../src/doctor/plug-ins.ts';
import { secret } from '../../../src/model/secret.ts';
import { createFakeClock } from '../../fixtures/clock.ts';

const never = new AbortController().signal;
const plugIn = {
  about: 'notifier ops',
  config: { timeoutSeconds: 30, smtp: { password: secret('hush') }, tokens: [secret('hush-hush')] },
  remedy: 'correct it',
  trust: 'name the authority',
  late: 'look at the firewall',
  mayBeSlow: false,
};
const failing = (message: string) =>
  pluggedIn(plugIn, createFakeClock(), () => Promise.reject(new Error(message))).look(never);

describe('what the doctor says of a plug-in', () => {
  it('takes every secret out of what it and others say', async () => {
    const told = pluggedIn(plugIn, createFakeClock(), async (tell) => tell(ok('a', 'hush-hush, said hush')));
    expect(await told.look(never)).toEqual([ok('a', '***, said ***')]);
    expect(await failing('535 hush is wrong')).toMatchObject([{ state: 'fault', says: '535 *** is wrong' }]);
  });

  it.each([
    ['connect ECONNREFUSED 127.0.0.1:25', 'nothing listens there'],
    ['self-signed certificate in chain', 'name the authority'],
    ['what is that', 'correct it'],
  ])('knows what to do about "%s"', async (message, remedy) => {
    expect((await failing(message))[0]?.remedy).toContain(remedy);
  });

  it.each([
    { mayBeSlow: false, timeoutSeconds: 30, state: 'fault', says: 'did not answer in 4750 ms' },
    { mayBeSlow: true, timeoutSeconds: 2, state: 'fault', says: 'did not answer in 2000 ms' },
    {
      mayBeSlow: true,
      timeoutSeconds: 30,
      state: 'warning',
      says: 'did not answer in 4750 ms, and longer is not waited here; it has 30000 ms when it counts',
    },
  ])('gives up in time, and keeps what was found before: %o', async ({ mayBeSlow, timeoutSeconds, state, says }) => {
    const clock = createFakeClock();
    const asked = { ...plugIn, mayBeSlow, config: { timeoutSeconds } };
    const looking = pluggedIn(asked, clock, async (tell) => {
      tell(ok('a', 'found'));
      await new Promise(() => {});
    }).look(never);
    await clock.advance(timeoutSeconds * 1000);
    expect(await looking).toEqual([ok('a', 'found'), { about: plugIn.about, state, says, remedy: plugIn.late }]);
  });
});
