import { describe, expect, it } from 'vitest';
import { version } from '../../src/telemetry/version.ts';
import { engineKinds } from '../fixtures/sim/engines.ts';
import { describePlayed, play, replaceLeaders } from '../fixtures/sim/play.ts';
import { ttlMs } from '../fixtures/sim/world.ts';

/** HSDO_SOAK_FAULTS (default 1500) on each store, drawn by HSDO_SOAK_SEED (default: a new one, printed). */
const faults = Number(process.env['HSDO_SOAK_FAULTS'] ?? 1500);
const seed = Number(process.env['HSDO_SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe.each(engineKinds)('a leader whose term is over, on a simulated %s', (kind) => {
  it(`writes nothing through ${faults} faults (HSDO_SOAK_SEED=${seed})`, async () => {
    const played = await play({ kind, seed, faults });
    const each = [...played.byFault].map(([name, count]) => `${count} x ${name}`).join(', ');
    process.stdout.write(`hsdo ${version}, Node ${process.version}, ${describePlayed(kind, played)}\n  ${each}\n`);
    expect(played.violations).toEqual([]);
    expect(played.accepted).toBeGreaterThan(faults);
  });

  it(`is replaced within its ttl and a second, a hundred times (HSDO_SOAK_SEED=${seed})`, async () => {
    const { kills, violations } = await replaceLeaders({ kind, seed, faults: 200 });
    const sorted = [...kills].sort((a, b) => a - b).map(Math.round);
    process.stdout.write(
      `${kind}: kill to the next leader's list p50 ${sorted[50]} ms, p99 ${sorted[98]} ms, ttl ${ttlMs} ms\n`,
    );
    expect(violations).toEqual([]);
    // On DynamoDB a follower looks four times in a ttl.
    expect(sorted.at(-1)).toBeLessThan(ttlMs + 1000 + (kind === 'dynamodb' ? ttlMs / 2 : 0));
  });
});
