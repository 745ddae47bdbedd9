import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createHttpCheck, httpSchema } from '../../src/check/http.ts';
import { createScheduler } from '../../src/check/scheduler.ts';
import type { Target } from '../../src/model/target.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { systemClock } from '../../src/time/clock.ts';
import { percentile } from './figures.ts';

/**
 * A process of its own, so that processor time and memory are those of the probes alone. First argument: `serve` (prints
 * its port and answers until it is killed), `hsdo` or `plain`; then port, number of targets, interval in milliseconds and
 * seconds to run. The last two print one {@link ProbeCost} as JSON.
 */
export interface ProbeCost {
  /** How much later than planned probes began, milliseconds. */
  readonly delayMs: { readonly half: number; readonly most: number; readonly longest: number };
  /** How long they took, milliseconds. */
  readonly tookMs: { readonly half: number; readonly most: number; readonly longest: number };
  /** After which time every target had an answer. */
  readonly allKnownMs: number;
  readonly probes: number;
  readonly failures: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly largestRssMib: number;
}

interface Answer {
  readonly id: string;
  readonly isUp: boolean;
  readonly delayMs: number;
  readonly tookMs: number;
}

type Way = (targets: readonly Target[], onAnswer: (answer: Answer) => void, signal: AbortSignal) => Promise<void>;

const path = '/health';
const timeoutMs = 5000;

function targetOf(number: number, port: number): Target {
  const address = `127.${100 + Math.floor(number / 62_500)}.${Math.floor(number / 250) % 250}.${1 + (number % 250)}`;
  return { id: `i-${number}`, name: `web-${number}`, address, port, group: 'web' };
}

/** The scheduler and the check as a server runs them. */
const hsdoWay =
  (intervalMs: number): Way =>
  async (targets, onAnswer, signal) => {
    const config = httpSchema.parse({ kind: 'http', path });
    const check = createHttpCheck(config, { service: 'web', clock: systemClock });
    const scheduler = createScheduler({
      clock: systemClock,
      log: createLog({ level: 'info', format: 'text' }),
      onProbe(_service, target, probe, startedAt, delayMs) {
        onAnswer({
          id: target.id,
          isUp: probe.result === 'up',
          delayMs,
          tookMs: systemClock.monotonic() - startedAt,
        });
      },
    });
    scheduler.set('web', { check, targets, intervalMs, timeoutMs, retries: 0 });
    await scheduler.run(signal);
  };

/** What one writes first: at each tick a request to everybody, with an agent of its own and no bound. */
const plainWay =
  (intervalMs: number): Way =>
  async (targets, onAnswer, signal) => {
    let plannedAt = performance.now();
    const ask = (target: Target) => {
      const startedAt = performance.now();
      const delayMs = startedAt - plannedAt;
      const end = (isUp: boolean) => onAnswer({ id: target.id, isUp, delayMs, tookMs: performance.now() - startedAt });
      const options = { host: target.address, port: target.port, path, agent: new Agent(), timeout: timeoutMs };
      const request = get(options, (response) => {
        response.resume();
        response.once('end', () => end(response.statusCode === 200));
      });
      request.once('error', () => end(false));
      request.once('timeout', () => request.destroy());
    };
    targets.forEach(ask);
    const timer = setInterval(() => {
      plannedAt += intervalMs;
      targets.forEach(ask);
    }, intervalMs);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    clearInterval(timer);
  };

function spreadOf(values: readonly number[]): ProbeCost['delayMs'] {
  return { half: percentile(values, 0.5), most: percentile(values, 0.99), longest: percentile(values, 1) };
}

async function measure(way: Way, targets: readonly Target[], seconds: number): Promise<ProbeCost> {
  const answers: Answer[] = [];
  const known = new Set<string>();
  let [allKnownMs, largestRss] = [Number.POSITIVE_INFINITY, 0];
  const stopping = new AbortController();
  const [cpuBefore, startedAt] = [process.cpuUsage(), performance.now()];
  const onAnswer = (answer: Answer) => {
    answers.push(answer);
    known.add(answer.id);
    if (known.size === targets.length) allKnownMs = Math.min(allKnownMs, performance.now() - startedAt);
  };
  const running = way(targets, onAnswer, stopping.signal);
  while (performance.now() - startedAt < seconds * 1000) {
    await delay(250);
    largestRss = Math.max(largestRss, process.memoryUsage.rss());
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const wallMs = performance.now() - startedAt;
  const done = [...answers];
  stopping.abort(new Error('measured'));
  await running;
  return {
    delayMs: spreadOf(done.map(({ delayMs }) => delayMs)),
    tookMs: spreadOf(done.map(({ tookMs }) => tookMs)),
    allKnownMs,
    probes: done.length,
    failures: done.filter(({ isUp }) => !isUp).length,
    cpuPercent: ((user + system) / 1000 / wallMs) * 100,
    largestRssMib: largestRss / 1024 ** 2,
  };
}

function serve(): void {
  const server = createServer((_request, response) => void response.end('fine'));
  // Wide enough for everybody at once, which is how the plain way comes.
  server.listen({ port: 0, host: '0.0.0.0', backlog: 16_384 }, () => {
    process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  });
}

const [mode, port = '', count = '', intervalMs = '', seconds = ''] = process.argv.slice(2);
if (mode === 'serve') serve();
else {
  const targets = Array.from({ length: Number(count) }, (_, number) => targetOf(number, Number(port)));
  const way = mode === 'hsdo' ? hsdoWay(Number(intervalMs)) : plainWay(Number(intervalMs));
  const cost = await measure(way, targets, Number(seconds));
  process.stdout.write(`${JSON.stringify(cost)}\n`, () => process.exit(0));
}
