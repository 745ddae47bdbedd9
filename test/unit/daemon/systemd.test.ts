import { afterAll, describe, expect, it } from 'vitest';
import { byProgram, type NotifySocket, openNotifySocket } from '../../../src/daemon/notify-socket.ts';
import { createReadiness } from '../../../src/daemon/readiness.ts';
import { systemdLoops, termsOf } from '../../../src/daemon/systemd.ts';
import { HsdoError } from '../../../src/model/error.ts';
import { createHeartbeats, heartbeatOf } from '../../../src/time/heartbeats.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { describeWith } from '../../fixtures/component.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { type NotifyReceiver, startNotifyReceiver } from '../../fixtures/notify-receiver.ts';
import { until } from '../../fixtures/until.ts';

/** A process of one role on a fake clock, and what systemd hears of it. */
function stage(env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '20000000' }) {
  const fake = createFakeClock();
  const heartbeats = createHeartbeats(fake, 30_000);
  const readiness = createReadiness(['server']);
  const log = recordingLog();
  const heard: string[] = [];
  let isAway = false;
  const open = async (): Promise<NotifySocket> => ({
    async tell(lines) {
      if (isAway) throw new HsdoError('unavailable', 'Cannot tell systemd');
      heard.push(...lines);
    },
    close() {},
  });
  const stop = new AbortController();
  const [loop] = systemdLoops({ heartbeats, readiness, log, open }, termsOf(env, 7));
  const ended = loop?.(stop.signal);
  return {
    fake,
    heartbeats,
    readiness,
    log,
    /** What was heard since the last call. */
    news: () => heard.splice(0),
    setAway: (value: boolean) => {
      isAway = value;
    },
    async end() {
      stop.abort();
      await ended;
    },
  };
}

describe('what systemd is told', () => {
  it('is that the process is ready once every role does its work, and until then that it needs more time', async () => {
    const { fake, readiness, news, end } = stage();
    await fake.advance(25_000);
    const early = news();
    expect(early.filter((line) => line === 'EXTEND_TIMEOUT_USEC=30000000')).toHaveLength(3);
    expect(early).toContain('STATUS=server - server: it is starting');
    expect(early).not.toContain('READY=1');
    let problems = [{ part: 'store', message: 'connection\nrefused' }];
    readiness.tell('server', { problems: () => problems, says: () => 'leads in epoch 7' });
    await fake.advance(2000);
    expect(news()).toContain('STATUS=server leads in epoch 7 - store: connection refused');
    problems = [];
    await fake.advance(1000);
    expect(news()).toEqual(['READY=1', 'STATUS=server leads in epoch 7 - all is well']);
    problems = [{ part: 'store', message: 'away' }];
    await fake.advance(60_000);
    expect(news().filter((line) => /READY|EXTEND/.test(line))).toEqual([]);
    await end();
    expect(news()).toEqual(['STOPPING=1', 'STATUS=stopping']);
  });

  it('is a sign of life at most half the time apart, and none while a loop hangs', async () => {
    const { fake, heartbeats, readiness, log, news, end } = stage();
    readiness.tell('server', { problems: () => [] });
    const loop = heartbeatOf(heartbeats.clock, 'rounds of "web"');
    for (let n = 0; n < 12; n++) {
      loop.beat(1000);
      await fake.advance(5000);
    }
    expect(news().filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThanOrEqual(6);
    await fake.advance(40_000);
    news();
    await fake.advance(60_000);
    expect(news()).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({ message: 'a loop hangs: systemd is not told any more that this process lives' }),
    ]);
    loop.beat(1000);
    await fake.advance(2000);
    expect(news()).toEqual(['WATCHDOG=1', 'STATUS=server - all is well']);
    await end();
  });

  it('is told again when it was not taken', async () => {
    const { fake, readiness, log, news, setAway, end } = stage();
    setAway(true);
    readiness.tell('server', { problems: () => [] });
    await fake.advance(30_000);
    setAway(false);
    await fake.advance(1000);
    expect(news()).toEqual(['READY=1', 'WATCHDOG=1', 'STATUS=server - all is well']);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'telling systemd fails',
      'ready: every role does its work',
      'telling systemd works again',
    ]);
    await end();
  });

  it('is nothing where it did not ask, and no sign of life where it waits for none or for that of another process', () => {
    expect(termsOf({})).toBeUndefined();
    expect(termsOf({ NOTIFY_SOCKET: '' })).toBeUndefined();
    expect(termsOf({ NOTIFY_SOCKET: '/n' }, 7)).toEqual({ socket: '/n' });
    expect(termsOf({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: 'soon' }, 7)).toEqual({ socket: '/n' });
    expect(termsOf({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '5000000', WATCHDOG_PID: '8' }, 7)).toEqual({ socket: '/n' });
    expect(termsOf({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '5000000', WATCHDOG_PID: '7' }, 7)).toEqual({
      socket: '/n',
      watchdogMs: 5000,
    });
  });
});

describe('the line for people', () => {
  it('names every role and at most three problems, each once', () => {
    const readiness = createReadiness(['server', 'client', 'dns']);
    const dns = [{ part: 'DNS', message: 'it died' }];
    readiness.tell('server', { problems: () => dns, says: () => 'follows n2' });
    readiness.tell('client', {
      problems: () => ['a', 'b', 'c'].map((name) => ({ part: `HAProxy at /${name}`, message: 'away' })),
    });
    readiness.tell('dns', { problems: () => dns });
    expect(readiness.problems()).toHaveLength(4);
    expect(readiness.line()).toBe(
      'server follows n2, client, dns - DNS: it died; HAProxy at /a: away; HAProxy at /b: away; and 1 more',
    );
  });
});

describeWith(['/usr/bin/python3', 'systemd-notify'], 'the socket of systemd', () => {
  const receivers: NotifyReceiver[] = [];
  afterAll(() => Promise.all(receivers.map((one) => one.stop())));
  const receive = async (isAbstract: boolean) => {
    const receiver = await startNotifyReceiver(isAbstract);
    receivers.push(receiver);
    return receiver;
  };

  it.each([
    ['a path', false],
    ['an abstract name', true],
  ])('takes messages of several lines at %s, from this very process', async (_, isAbstract) => {
    const receiver = await receive(isAbstract);
    const socket = await openNotifySocket(receiver.name);
    await socket.tell(['READY=1', 'STATUS=grüße']);
    await socket.tell(['WATCHDOG=1']);
    await until('both arrive', () => receiver.heard().length === 2);
    expect(receiver.heard()).toEqual([
      { pid: process.pid, lines: ['READY=1', 'STATUS=grüße'] },
      { pid: process.pid, lines: ['WATCHDOG=1'] },
    ]);
    socket.close();
  });

  it('takes them from the program of systemd, too, which waits until they were read', async () => {
    const receiver = await receive(false);
    await byProgram(receiver.name).tell(['READY=1', 'STATUS=two words']);
    expect(receiver.lines('READY')).toEqual(['READY=1']);
    expect(receiver.lines('STATUS')).toEqual(['STATUS=two words']);
  });

  it('is said to be away where nobody listens, and refused where no socket can be', async () => {
    await expect(openNotifySocket('/nowhere/notify')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(openNotifySocket(`/${'x'.repeat(200)}`)).rejects.toMatchObject({ code: 'config' });
    const receiver = await startNotifyReceiver();
    const socket = await openNotifySocket(receiver.name);
    await receiver.stop();
    await expect(socket.tell(['WATCHDOG=1'])).rejects.toMatchObject({ code: 'unavailable' });
    socket.close();
  });
});
