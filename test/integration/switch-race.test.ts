import { afterEach, describe, expect, it } from 'vitest';
import { createSwitching } from '../../src/daemon/switching/switching.ts';
import { cloudflareSchema, createCloudflareSwitcher } from '../../src/deliver/switch/cloudflare.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Cloudflare, startCloudflare } from '../fixtures/cloudflare.ts';
import { createDice, type Dice } from '../fixtures/dice.ts';
import { silentLog } from '../fixtures/log.ts';
import { createLeadership, entryPoints, listWith } from '../fixtures/switching.ts';
import { until } from '../fixtures/until.ts';

const name = 'www.example.org';
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** The switching of one server, with the leadership that it believes to have. */
function startServer(cloudflare: Cloudflare, reconcileMs: number) {
  const { token: apiToken, baseUrl } = cloudflare;
  const config = cloudflareSchema.parse({ kind: 'cloudflare', apiToken, zone: 'example.org', record: name, baseUrl });
  const lease = createLeadership();
  const switching = createSwitching({
    service: 'web',
    kind: 'cloudflare',
    rules: { reconcileMs, freshMs: 50, delayMs: 0 },
    timeoutMs: 10_000,
    create: () => createCloudflareSwitcher(config, { service: 'web', clock: systemClock }),
    lease,
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  });
  const end = new AbortController();
  const running = switching.run(end.signal);
  stops.push(async () => {
    end.abort();
    await running;
  });
  return {
    switching,
    /** Takes over, as far as this server knows, and wants an entry point to be active. */
    lead(epoch: number, active: string) {
      const term = lease.lead(epoch);
      switching.leaseChanged();
      switching.decided(listWith(active), term);
    },
    /** Its time is over, which it finds out by itself when it asks next. */
    lapse: () => lease.end(),
  };
}

async function startStage(reconcileMs: number) {
  const cloudflare = await startCloudflare('example.org');
  stops.push(() => cloudflare.stop());
  return { cloudflare, servers: [startServer(cloudflare, reconcileMs), startServer(cloudflare, reconcileMs)] as const };
}

type Stage = Awaited<ReturnType<typeof startStage>>;

/** Holds the next write of this address back until `release`. */
function holdWriteOf(cloudflare: Cloudflare, address: string) {
  let release = () => {};
  let isHeld = false;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  cloudflare.hold = ({ method, body }) => {
    if (isHeld || method === 'GET' || !body.includes(`"${address}"`)) return undefined;
    isHeld = true;
    return gate;
  };
  return { release, isHeld: () => isHeld };
}

/**
 * The old leader's write is on its way when the new leader decides otherwise; resolves once that write has landed.
 *
 * @param isSettled - It lands when the new leader has read its own choice back, and not somewhen.
 */
async function race(
  { cloudflare, servers }: Stage,
  dice: Dice,
  round: number,
  isSettled = false,
): Promise<{ wanted: string }> {
  const [old, next] = round % 2 === 0 ? servers : ([servers[1], servers[0]] as const);
  const now = cloudflare.records.find((record) => record.name === name)?.content;
  const [late, chosen] = entryPoints.filter(({ address }) => address !== now);
  if (late === undefined || chosen === undefined) throw new Error('three entry points are needed');
  if (dice.isLucky(0.3)) cloudflare.records.splice(0);
  const held = holdWriteOf(cloudflare, late.address);
  old.lead(2 * round + 1, late.name);
  await until('the old leader writes', held.isHeld);
  old.lapse();
  next.lead(2 * round + 2, chosen.name);
  const untilWritten = () => cloudflare.records.some(({ content }) => content === chosen.address);
  if (dice.isLucky(0.7)) await until('the new leader has written', untilWritten);
  if (isSettled) await until('the new leader has read it', () => next.switching.view()?.agrees === true);
  held.release();
  return { wanted: `A ${chosen.address} proxied` };
}

describe('two leaders that switch at Cloudflare at once', () => {
  it("end with the newest one's choice within one reconcile, over 100 races", async () => {
    const seed = Number(process.env['HSDO_SEED'] ?? 6);
    const worstMs = await Promise.all(
      [0, 1, 2, 3].map(async (number) => {
        const stage = await startStage(100);
        const dice = createDice(seed * 10 + number);
        let longestMs = 0;
        for (let round = 0; round < 25; round += 1) {
          const { wanted } = await race(stage, dice, round);
          const startedAt = performance.now();
          const what = `race ${round} of stage ${number}, seed ${seed}`;
          const isRight = () => stage.cloudflare.shown(name).join() === wanted;
          const [one, other] = stage.servers;
          const leader = round % 2 === 0 ? other : one;
          // Right, and the leader has read that it is.
          await until(what, () => isRight() && leader.switching.view()?.agrees === true, { timeoutMs: 5000 });
          longestMs = Math.max(longestMs, performance.now() - startedAt);
        }
        return longestMs;
      }),
    );
    // 100 ms from one reading to the next, and the calls; the bound of the feature is 10 s.
    expect(Math.max(...worstMs)).toBeLessThan(5000);
  }, 60_000);

  it('would leave the old one its last word, if nobody read back', async () => {
    const stage = await startStage(3_600_000);
    const dice = { ...createDice(1), isLucky: (probability: number) => probability > 0.5 };
    const { cloudflare } = stage;
    cloudflare.add({ name, content: '192.0.2.1' });
    await race(stage, dice, 0, true);
    await until('the late write lands', () => cloudflare.shown(name).join() === 'A 192.0.2.2 proxied');
    cloudflare.asked();
    expect(stage.servers[1].switching.view()).toMatchObject({ wanted: 'ep-3', agrees: true });
  });
});
