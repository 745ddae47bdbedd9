import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHeartbeatPing } from '../../../src/daemon/telling/heartbeat-ping.ts';
import { secret } from '../../../src/model/secret.ts';
import { createFakeClock } from '../../fixtures/clock.ts';
import { recordingLog } from '../../fixtures/log.ts';
import { until } from '../../fixtures/until.ts';
import { startWebhookSink, type WebhookSink } from '../../fixtures/webhook-sink.ts';

let sink: WebhookSink;
let controller: AbortController;
beforeEach(async () => {
  sink = await startWebhookSink();
  controller = new AbortController();
});
afterEach(async () => {
  controller.abort();
  await sink.stop();
});

describe('the heartbeat ping', () => {
  it('is heard while this server leads and all is in order, once an interval', async () => {
    const clock = createFakeClock();
    const log = recordingLog();
    let [leads, isInOrder] = [false, true];
    const ping = createHeartbeatPing({
      url: secret(sink.url),
      intervalMs: 60_000,
      timeoutMs: 5000,
      lease: { term: () => (leads ? { epoch: 1, fence: '1' } : undefined) },
      isInOrder: () => isInOrder,
      clock,
      log,
    });
    const running = ping(controller.signal);
    await clock.advance(120_000);
    expect(sink.posted).toEqual([]);
    leads = true;
    await clock.advance(1000);
    await until('it is heard', () => sink.posted.length === 1);
    expect(sink.posted[0]).toMatchObject({ method: 'GET', path: '/hook' });
    await clock.advance(59_000);
    isInOrder = false;
    await clock.advance(120_000);
    expect(sink.posted).toHaveLength(1);
    isInOrder = true;
    sink.answer({ status: 500 });
    await clock.advance(1000);
    await until('it fails', () => log.lines.some(({ message }) => message === 'the heartbeat ping fails'));
    expect(JSON.stringify(log.lines)).not.toContain(sink.url);
    controller.abort();
    await running;
  });
});
