import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotifier, notifierSchema } from '../../../../src/deliver/notify/notifiers.ts';
import { splitText } from '../../../../src/deliver/notify/telegram.ts';
import type { Clock } from '../../../../src/time/clock.ts';
import { createFakeClock } from '../../../fixtures/clock.ts';
import { contextOf, event, memoryKeep, never, noticeOf } from '../../../fixtures/notices.ts';
import { startTelegram, type Telegram } from '../../../fixtures/telegram.ts';
import { until } from '../../../fixtures/until.ts';

let telegram: Telegram;
let keep: ReturnType<typeof memoryKeep>;
let clock = createFakeClock();
let controller: AbortController;
beforeEach(async () => {
  telegram = await startTelegram();
  keep = memoryKeep();
  clock = createFakeClock();
  controller = new AbortController();
});
afterEach(async () => {
  controller.abort();
  await telegram.stop();
});

const bot = (options: object = {}, time: Clock = clock) => {
  const given = { token: '42:right-token', joinCode: 'open sesame', baseUrl: telegram.url };
  const config = notifierSchema.parse({ kind: 'telegram', ...given, ...options });
  return createNotifier(config, contextOf({ keep, clock: time }));
};
const joined = (...chats: readonly number[]) => {
  for (const chat of chats) keep.entries.set(String(chat), '{}');
};
const chatsNow = () => [...keep.entries.keys()].map(Number);
const failure = (notifier = bot(), notice = noticeOf()) =>
  notifier.notify(notice, never).then(
    () => undefined,
    (error: unknown) => error,
  );
const told = (chat: number) => telegram.delivered.filter((one) => one.chat === chat).map(({ text }) => text);

describe('telling chats', () => {
  it('takes any character that a name may have', async () => {
    joined(1);
    const text = '_*[]()~`>#+-=|{}.!<b>&\uD800';
    await bot().notify(noticeOf({ title: text, events: [event({ target: text })] }), never);
    expect(told(1)[0]).toContain('_*[]()~`>#+-=|{}.!<b>&');
  });

  it('sends what is too long in parts, cut at ends of lines', async () => {
    joined(1);
    const events = Array.from({ length: 150 }, (_, n) => event({ kind: 'target-down', target: `web-${n}` }));
    await bot().notify(noticeOf({ events }), never);
    const parts = told(1);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.join('\n').split('\n')).toHaveLength(152);
    expect(parts.every((part) => part.length <= 4096)).toBe(true);
  });

  it('does not tell a chat twice because another one failed, after a restart neither', async () => {
    joined(1, 2, 3);
    const refusal = { error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 3 } };
    telegram.refuse(2, refusal);
    expect(await failure()).toMatchObject({ code: 'unavailable', retryAfterMs: 3000 });
    telegram.refuse(2, undefined);
    await bot().notify(noticeOf(), never);
    expect([told(1).length, told(2).length, told(3).length]).toEqual([1, 1, 1]);
  });

  it('leaves a chat in peace for as long as Telegram wants', async () => {
    joined(1);
    telegram.refuse(1, { error_code: 429, description: 'Too Many Requests', parameters: { retry_after: 3 } });
    const notifier = bot();
    await failure(notifier);
    telegram.refuse(1, undefined);
    await clock.advance(2000);
    expect(await failure(notifier)).toMatchObject({ code: 'unavailable', retryAfterMs: 1000 });
    expect(telegram.sends()).toBe(1);
    await clock.advance(1000);
    await notifier.notify(noticeOf(), never);
    expect(told(1)).toHaveLength(1);
  });

  it('forgets a chat that blocked the bot, and follows a group that has another id', async () => {
    joined(1, 2, 3, 4);
    telegram.refuse(1, { error_code: 403, description: 'Forbidden: bot was blocked by the user' });
    telegram.refuse(2, { error_code: 400, description: 'Bad Request: chat not found' });
    const parameters = { migrate_to_chat_id: -100 };
    telegram.refuse(3, { error_code: 400, description: 'Bad Request: group chat was upgraded', parameters });
    await bot().notify(noticeOf(), never);
    expect(new Set(chatsNow())).toEqual(new Set([-100, 4]));
    expect([told(-100).length, told(4).length]).toEqual([1, 1]);
  });

  it('does not let one chat that takes no notice hold up the others', async () => {
    joined(1, 2);
    telegram.refuse(1, { error_code: 400, description: 'Bad Request: TOPIC_CLOSED' });
    await bot().notify(noticeOf(), never);
    expect(told(2)).toHaveLength(1);
    expect(chatsNow()).toEqual([1, 2]);
  });

  it('is refused for good with a wrong token, which is not told', async () => {
    joined(1);
    const error = await failure(bot({ token: '42:wrong-token' }));
    expect(error).toMatchObject({ code: 'rejected', message: expect.stringContaining('401 (Unauthorized)') });
    expect(String(error)).not.toContain('wrong-token');
  });

  it('splits any text without losing a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 2, max: 50 }), (text, most) => {
        const parts = splitText(text, most);
        expect(parts.every((part) => part.length <= most && part !== '')).toBe(true);
        expect(parts.join('').replaceAll('\n', '')).toBe(text.replaceAll('\n', ''));
        expect(parts.every((part) => !/^[\uDC00-\uDFFF]/.test(part) || /^[\uDC00-\uDFFF]/.test(text))).toBe(true);
      }),
    );
  });
});

describe('joining', () => {
  const listen = () => bot().run?.(controller.signal);

  it('takes the code, with a command or alone, and only the right one', async () => {
    const listening = listen();
    telegram.write(1, '/start open sesame');
    telegram.write(2, 'open sesame');
    telegram.write(-3, '/start@hsdo_bot open sesame', 'group');
    telegram.write(4, '/start open barley');
    telegram.write(-5, 'shall we have lunch?', 'group');
    await until('all four are answered', () => telegram.delivered.length === 4);
    expect(chatsNow()).toEqual([1, 2, -3]);
    expect(told(4)).toEqual(['Sorry, that is not the join code. Send /start followed by the code.']);
    expect(told(-5)).toEqual([]);
    telegram.write(1, '/stop');
    telegram.update({ my_chat_member: { chat: { id: 2 }, new_chat_member: { status: 'kicked' } } });
    telegram.update({ message: { chat: { id: -3 }, migrate_to_chat_id: -30 } });
    await until('one left, one threw the bot out, one became larger', () => chatsNow().join() === '-30');
    controller.abort();
    await listening;
  });

  it('does not ask again at once whoever answers without waiting for news', async () => {
    telegram.hurry();
    const sleeps: number[] = [];
    const sleep: typeof clock.sleep = (ms, signal) => {
      sleeps.push(ms);
      return clock.sleep(ms, signal);
    };
    const listening = bot({}, { ...clock, sleep }).run?.(controller.signal);
    await until('it rests', () => sleeps.length > 0);
    expect([sleeps, telegram.polls()]).toEqual([[1000], 1]);
    await clock.advance(1000);
    await until('it asks again', () => telegram.polls() === 2);
    controller.abort();
    await listening;
  });

  it('looks at five wrong codes of a chat in an hour and no more', async () => {
    void listen();
    for (let n = 0; n < 8; n += 1) telegram.write(1, `/start ${n}`);
    telegram.write(1, '/start open sesame');
    telegram.write(2, '/start open sesame');
    await until('the other chat is in', () => chatsNow().includes(2));
    expect(chatsNow()).toEqual([2]);
    expect(told(1)).toHaveLength(5);
    await clock.advance(3_600_000);
    telegram.write(1, '/start open sesame');
    await until('the hour is over', () => chatsNow().includes(1));
  });

  it('steps back when another one listens, and goes on when it is alone', async () => {
    const other = new AbortController();
    const first = bot().run?.(other.signal);
    telegram.write(1, 'open sesame');
    await until('the first one listens', () => chatsNow().length === 1);
    void listen();
    await until('the second one is refused', () => telegram.conflicts() > 0);
    other.abort();
    await first;
    await clock.advance(60_000);
    telegram.write(2, 'open sesame');
    await until('the second one listens', () => chatsNow().includes(2));
  });

  it('survives updates that it does not know', async () => {
    void listen();
    telegram.update({ edited_message: { text: 'open sesame' } });
    telegram.update({ message: { chat: 'nobody' } });
    telegram.write(1, 'open sesame');
    await until('the next one is heard', () => chatsNow().includes(1));
  });
});
