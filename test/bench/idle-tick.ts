import { setTimeout as sleep } from 'node:timers/promises';
import { contest, figuresOf, ratioOf } from './contest.ts';
import { type Figure, promise, type Section } from './figures.ts';
import { oneByOne } from './haproxy-prompt.ts';
import { assertInPlace, createLooker, fullList, type Looker, type WantedList } from './hsdo-pass.ts';
import { hsdoTick } from './hsdo-tick.ts';
import { startRelay } from './relay.ts';
import { startThousand } from './thousand.ts';

const name = 'idle-tick';

const underFiveMs = (one: Figure) => promise(one, 'under 5', (median) => median < 5);

/** Looks, and waits until every time in HAProxy's next reply is another one. */
async function nextSecond(looker: Looker, wanted: WantedList): Promise<void> {
  await looker.look(wanted);
  await sleep(1001);
}

/** One look at a HAProxy that is as wanted. */
export async function idleTick(): Promise<Section> {
  const haproxy = await startThousand({ hasChecks: true });
  try {
    const wanted = fullList('10.1', 10);
    const looker = createLooker(haproxy.socketPath);
    await looker.look(wanted);
    await assertInPlace(haproxy, wanted);
    const commands = hsdoTick(wanted);
    const results = await contest(
      {
        repeated: { prepare: async () => void (await looker.look(wanted)), run: () => looker.look(wanted), times: 20 },
        moved: { prepare: () => nextSecond(looker, wanted), run: () => looker.look(wanted), times: 3 },
        first: { prepare: async () => looker.forgetReply(), run: () => looker.look(wanted), times: 20 },
        hsdo: { run: () => oneByOne(haproxy.socketPath, commands) },
      },
      { rounds: 7, warmUps: 2 },
    );
    const relay = await startRelay(`${haproxy.folder}/relay.sock`, haproxy.socketPath);
    await createLooker(relay.path).look(wanted);
    await relay.stop();
    const hsdoTimes = "HSDO's way took that many times as long as hsdo";
    return {
      name,
      title: 'One look at 1000 slots that are in order',
      figures: [
        ...figuresOf('hsdo, the reply moved', results.moved).map(underFiveMs),
        ...figuresOf('hsdo, the same reply again', results.repeated).map(underFiveMs),
        ...figuresOf('hsdo, every line of the reply is new', results.first).map(underFiveMs),
        ...figuresOf(`HSDO's way, ${commands.length} commands`, results.hsdo),
      ],
      ratios: [
        ratioOf(`${hsdoTimes}, the reply moved`, results.hsdo, results.moved),
        ratioOf(`${hsdoTimes}, the same reply again`, results.hsdo, results.repeated),
      ],
      notes: [
        `hsdo sent, by a relay that wrote it down, on ${relay.connections()} connection: ${relay.lines().join(', ')}.`,
        'HAProxy counts whole seconds since the last change, so its reply moves once a second.',
      ],
    };
  } finally {
    await haproxy.stop();
  }
}
