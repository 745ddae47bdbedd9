import { type BatchMemory, batchSize, createBatchMemory, type KeptAddress } from './batch-memory.ts';
import type { Libc } from './libc.ts';
import { linux } from './linux-socket.ts';

/** A socket that packets leave by. */
export interface Sender {
  readonly fd: number;
  /** False once it is closed: what waits is dropped then. */
  readonly isOpen: boolean;
  /** So many packets could not be sent, for the reason of this number. */
  onUnsent(errno: number, count: number): void;
}

/** Packets that become ready one by one and leave together, at the end of the callback in which they became so. */
export interface Outbox {
  /** Copies the packet; `to` for sockets that are not connected. */
  put(sender: Sender, packet: Uint8Array, to?: KeptAddress): void;
}

/** A connected socket has nobody else to send to. */
const nobody: KeptAddress = { name: new Uint8Array(0), nameLength: 0 };

/** Sends the first `count` answers in the memory by one call, or as many as it takes. */
export function sendAnswers(libc: Libc, memory: BatchMemory, sender: Sender, count: number): void {
  let done = 0;
  while (done < count) {
    const sent = libc.sendmmsg(sender.fd, memory.answerAddresses[done] as bigint, count - done, linux.dontWait);
    if (sent > 0) {
      done += sent;
      continue;
    }
    const errno = libc.errno();
    if (errno === linux.interrupted) continue;
    // With no room there is none for the others either; else, as for want of a route, this one alone cannot be sent.
    const unsent = errno === linux.wouldBlock ? count - done : 1;
    done += unsent;
    sender.onUnsent(errno, unsent);
  }
}

/** Each socket that has packets in it takes one call for them, whatever the order in which they came. */
export function createOutbox(libc: Libc): Outbox {
  const memory = createBatchMemory(libc.addressOf);
  const senders: (Sender | undefined)[] = Array.from({ length: batchSize }, () => undefined);
  let count = 0;

  /** Lays the packets of the sender in this slot and behind it side by side; gives how many they are. */
  function gather(sender: Sender, first: number): number {
    let gathered = 0;
    for (let slot = first; slot < count; slot += 1) {
      if (senders[slot] !== sender) continue;
      senders[slot] = undefined;
      memory.arrange(gathered, slot);
      gathered += 1;
    }
    return gathered;
  }

  function flush(): void {
    for (let slot = 0; slot < count; slot += 1) {
      const sender = senders[slot];
      if (sender === undefined) continue;
      const gathered = gather(sender, slot);
      if (sender.isOpen) sendAnswers(libc, memory, sender, gathered);
    }
    count = 0;
  }

  return {
    put(sender, packet, to = nobody) {
      if (count === batchSize) flush();
      if (count === 0) process.nextTick(flush);
      memory.fill(count, packet, to);
      senders[count] = sender;
      count += 1;
    },
  };
}
