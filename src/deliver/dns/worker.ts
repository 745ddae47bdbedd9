import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { hasCode } from '../../model/error.ts';
import { systemClock } from '../../time/clock.ts';
import { every } from '../../time/every.ts';
import { createAnswerer } from './answer/answer.ts';
import { createPacketCache } from './answer/packet-cache.ts';
import { createTable, type Table } from './answer/table.ts';
import { type Counts, createCounts } from './counts.ts';
import { createForwarder, type Forwarder } from './forward/forward.ts';
import type { FromWorker, ToWorker, WorkerStart } from './protocol.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRespond } from './respond.ts';
import { chooseTransport, type Transport } from './transport/self-test.ts';
import { openSockets, type Sockets } from './transport/sockets.ts';

/** Names that are installed before packets have their turn again: well below a millisecond. */
const namesAtOnce = 2000;
const countsEveryMs = 1000;

/** Installs chapters in slices, between which the event loop answers. */
function createInstaller(table: Table) {
  let isAtWork = false;
  const next = () => {
    isAtWork = !table.settle(namesAtOnce);
    if (isAtWork) setImmediate(next);
  };
  return (message: Uint8Array) => {
    table.install(message);
    if (isAtWork) return;
    isAtWork = true;
    setImmediate(next);
  };
}

function installAll(table: Table, message: Uint8Array): void {
  if (message.length > 0) table.install(message);
  while (!table.settle(namesAtOnce));
}

/** Everything that answers, as far as it needs no socket to listen on. */
function createParts({ config }: WorkerStart, table: Table, counts: Counts, transport: Transport) {
  const { forward, rateLimit } = config;
  const libc = transport.kind === 'batch' ? transport.libc : undefined;
  const ears = { onUpstream: counts.upstream, onCache: counts.cache };
  const forwarder: Forwarder | undefined =
    forward && createForwarder({ config: forward, clock: systemClock, libc, ...ears });
  const nowMs = () => systemClock.monotonic();
  const responder = createRespond({
    answerer: createPacketCache(createAnswerer(table, { forwards: forwarder !== undefined }), table),
    counts,
    nowMs,
    ...(forwarder && { forwarder }),
    ...(rateLimit.perSecond > 0 && { limit: createRateLimit(rateLimit, nowMs) }),
  });
  return { forwarder, responder };
}

async function work(port: MessagePort, start: WorkerStart): Promise<void> {
  const tell = (message: FromWorker) => port.postMessage(message);
  const stop = new AbortController();
  const [table, counts] = [createTable(), createCounts()];
  const install = createInstaller(table);
  // From here on messages are heard; those that come before the first address is taken are installed with the others.
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'chapters') install(message.bytes);
    else stop.abort();
  });
  installAll(table, start.chapters);
  let sockets: Sockets | undefined;
  let forwarder: Forwarder | undefined;
  const report = async () => {
    const present = { tcpConnections: sockets?.tcp.connections() ?? 0, names: table.names() };
    tell({ kind: 'counts', counts: counts.take({ ...present, cacheBytes: forwarder?.cacheBytes() ?? 0 }) });
  };
  try {
    const transport = await chooseTransport(start.config.transport, stop.signal);
    const parts = createParts(start, table, counts, transport);
    forwarder = parts.forwarder;
    sockets = await openSockets({ ...start, transport, responder: parts.responder, clock: systemClock });
    const { addresses, endpoints, kept, run } = sockets;
    const why = transport.kind === 'dgram' && transport.reason !== undefined ? { reason: transport.reason } : {};
    const tellPlaces = () =>
      tell({
        kind: 'listening',
        addresses: addresses(),
        endpoints,
        kept: kept(),
        transport: transport.kind,
        ...why,
      });
    tellPlaces();
    await Promise.all([
      every({ intervalMs: countsEveryMs, clock: systemClock }, report, stop.signal),
      run(tellPlaces, stop.signal),
    ]);
    await report();
  } catch (error) {
    if (!stop.signal.aborted && !hasCode(error, 'config')) throw error;
    if (!stop.signal.aborted) tell({ kind: 'failed', message: (error as Error).message });
  } finally {
    sockets?.close();
    forwarder?.close();
    port.close();
  }
}

if (parentPort !== null) await work(parentPort, workerData as WorkerStart);
