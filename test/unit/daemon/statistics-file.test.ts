import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import { createClosers } from '../../../src/daemon/lifecycle.ts';
import { createOpinions } from '../../../src/daemon/observing/opinions.ts';
import { openStatistics } from '../../../src/daemon/observing/statistics-file.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { healthRules, probeOf } from '../../fixtures/checks.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { target, targets } from '../../fixtures/lists.ts';
import { recordingLog } from '../../fixtures/log.ts';

const never = new AbortController().signal;

describe('the file of statistics', () => {
  let stateDirectory: string;
  beforeEach(async () => {
    stateDirectory = await mkdtemp(join(tmpdir(), 'hsdo-state-'));
  });
  afterEach(() => rm(stateDirectory, { recursive: true, force: true }));

  /** One life of a process: these probes, then a clean stop. Gives what it shows of the target, and what it logged. */
  async function live(signs: string, duringMs = 0, isSourceAway = false) {
    const [clock, log, closers] = [createFakeClock(), recordingLog(), createClosers()];
    const config = configSchema.parse({
      services: [{ name: 'web' }],
      store: { kind: 'sqlite', path: join(stateDirectory, 'hsdo.db') },
      cluster: { nodeId: 's1' },
      stateDirectory,
    });
    const parts = { config, clock, log, closers, metrics: createMetrics() };
    const opinions = createOpinions(clock);
    const statistics = await openStatistics(parts, opinions, ['web'], never);
    opinions.watch('web', isSourceAway ? [] : targets('a'), healthRules());
    const stopping = new AbortController();
    const running = statistics.run(stopping.signal);
    for (const sign of signs) opinions.note('web', target('a'), probeOf(sign));
    await clock.advance(duringMs);
    stopping.abort(new Error('the test is over'));
    await running;
    await closers.closeAll(log);
    return { counted: opinions.of('web')[0]?.statistics, lines: log.lines };
  }

  it('lets a process count on where the one before it stopped', async () => {
    await live('++-');
    expect((await live('+', 40_000)).counted).toMatchObject({ successes: 3, timeouts: 1 });
    expect((await live('')).counted).toMatchObject({ successes: 3, timeouts: 1 });
  });

  it('keeps what was counted over a life in which the source never answered', async () => {
    await live('++-');
    await live('', 40_000, true);
    expect((await live('')).counted).toMatchObject({ successes: 2, timeouts: 1 });
  });

  it('costs the statistics their memory where it cannot be used, says so, and nothing else', async () => {
    await rm(stateDirectory, { recursive: true });
    await writeFile(stateDirectory, 'not a folder');
    const { counted, lines } = await live('+');
    expect(counted).toMatchObject({ successes: 1 });
    expect(lines[0]).toMatchObject({ level: 'warn', message: 'keeping the statistics of checks fails' });
    await rm(stateDirectory);
    await mkdir(stateDirectory);
    expect((await live('+')).counted).toMatchObject({ successes: 1 });
  });
});
