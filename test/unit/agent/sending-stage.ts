import { afterEach } from 'vitest';
import { createClockOffset } from '../../../src/agent/clock-offset.ts';
import { createExchange } from '../../../src/agent/exchange.ts';
import { createSending, type Sending, type SendingParts } from '../../../src/agent/sending.ts';
import type { AgentReport } from '../../../src/agent/wire.ts';
import { secret } from '../../../src/model/secret.ts';
import { systemClock } from '../../../src/time/clock.ts';
import type { AgentServerStandIn } from '../../fixtures/agent-server.ts';
import { recordingLog } from '../../fixtures/log.ts';

/** Run after each test, the last first. */
export const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export interface Stage {
  readonly server: AgentServerStandIn;
  readonly sending: Sending;
  readonly log: ReturnType<typeof recordingLog>;
  /** Reports by what became of them. */
  readonly settled: Record<string, number>;
  readonly unsent: () => number;
  stop(): Promise<void>;
}

/** Sends to a server over real HTTP. */
export async function stage(
  server: AgentServerStandIn,
  settings: Partial<Pick<SendingParts, 'batchSeconds' | 'maxUnsent'>> = {},
): Promise<Stage> {
  const log = recordingLog();
  const settled: Record<string, number> = {};
  const name = 'one';
  const place = { name, url: server.url, token: secret('the-token'), tags: [] };
  let unsent = 0;
  const sending = createSending({
    server: place,
    exchange: createExchange(place, systemClock),
    offset: createClockOffset({ server: name, log }, () => {}),
    clock: systemClock,
    log,
    batchSeconds: 0,
    maxUnsent: 1000,
    random: () => 0,
    onSettled(outcome, count) {
      settled[outcome] = (settled[outcome] ?? 0) + count;
    },
    onUnsent(count) {
      unsent = count;
    },
    ...settings,
  });
  const stopping = new AbortController();
  const running = sending.run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error('the test ends'));
    await running;
  };
  ends.push(stop, server.close);
  return { server, sending, log, settled, unsent: () => unsent, stop };
}

export function reportOf(checkName: string, latencyMs = 1): AgentReport {
  return {
    agent_id: 'a',
    timestamp: '2026-01-01T00:00:00.000+00:00',
    check_name: checkName,
    domain: 'web',
    type: 'tcp',
    target_ip: '10.0.0.1',
    port: 80,
    status: 'ok',
    latency_ms: latencyMs,
    reason: null,
  };
}
