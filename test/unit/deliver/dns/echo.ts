import { askLater, type Responder } from '../../../../src/deliver/dns/responder.ts';

/** Echoes; `later` when it is let go, `silent` never, `big N` with N bytes. */
export function createEcho() {
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  const responder: Responder = {
    now(query, start, length, { transport, address }, reply) {
      const text = Buffer.from(query.subarray(start, start + length)).toString();
      asked.push(`${transport} ${address.join('.')}`);
      if (text.startsWith('silent')) return 0;
      if (text.startsWith('later') || text.startsWith('soon')) return askLater;
      const [, size] = /^big (\d+)/.exec(text) ?? [];
      if (size !== undefined) return Number(size);
      reply.set(query.subarray(start, start + length));
      return length;
    },
    later(query, _asker, send) {
      if (Buffer.from(query).toString().startsWith('soon')) send(query);
      else waiting.push(() => send(query));
    },
  };
  return { responder, asked, waiting };
}
