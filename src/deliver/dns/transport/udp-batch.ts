import { isMapped } from '../answer/address-bytes.ts';
import { type Asker, askLater, type Responder } from '../responder.ts';
import { batchSize, createBatchMemory, nameAt, queryAt } from './batch-memory.ts';
import type { Libc } from './libc.ts';
import { linux, type UdpSocket } from './linux-socket.ts';
import { createOutbox, sendAnswers } from './outbox.ts';
import { createDgramAnswers, openDgramSocket } from './udp-dgram.ts';
import type { UdpListener } from './udp-listener.ts';

/** Packets of one socket that are answered before the event loop gets its turn: TCP, forwarding, new chapters. */
const budget = 512;

/** All sockets of a thread share the memory of one batch: each is drained from beginning to end before the next. */
export interface Batch {
  /** Answers on a socket, which from now on belongs to the batch. */
  open(socket: UdpSocket): Promise<UdpListener>;
}

/**
 * UDP with many packets in one system call: recvmmsg, an answer for each, sendmmsg.
 *
 * The event loop wakes us, so nothing ever blocks and nothing runs while nobody asks. Node can watch a socket only by
 * reading from it: it gets a number of its own for the socket, reads the first packet of each burst and answers it as
 * {@link openDgram} does, with what is said there about 0.0.0.0; the others take the quick way.
 */
export function createBatch(libc: Libc, responder: Responder): Batch {
  const memory = createBatchMemory(libc.addressOf);
  const outbox = createOutbox(libc);
  const addressOf = createAskers(memory.bytes);
  const asker: Asker = { transport: 'udp', address: new Uint8Array(4) };
  memory.expect(batchSize);

  /** Answers what is in the first slots; gives the number of answers. */
  function answer(count: number, later: (slot: number) => void): number {
    let answers = 0;
    for (let slot = 0; slot < count; slot += 1) {
      const reply = memory.replies[answers] as Uint8Array;
      asker.address = addressOf(slot);
      const length = responder.now(memory.bytes, queryAt(slot), memory.received(slot), asker, reply);
      if (length > 0) {
        memory.address(answers, slot, length);
        answers += 1;
      } else if (length === askLater) later(slot);
    }
    return answers;
  }

  return {
    async open(socket) {
      const { fd } = socket;
      const state = {
        fd,
        isOpen: true,
        unsent: 0,
        onUnsent(_errno: number, count: number) {
          state.unsent += count;
        },
      };
      const later = (slot: number) => {
        const to = memory.keep(slot);
        const at = queryAt(slot);
        const query = memory.bytes.slice(at, at + memory.received(slot));
        responder.later(query, { transport: 'udp', address: addressOf(slot).slice() }, (reply) => {
          if (state.isOpen) outbox.put(state, reply, to);
        });
      };
      const drain = () => {
        let total = 0;
        // While we answered, more may have come, which costs less here than another turn of the loop. What is left over wakes us.
        while (state.isOpen && total < budget) {
          const received = libc.recvmmsg(fd, memory.askedAddress, batchSize, linux.dontWait);
          if (received <= 0) return;
          sendAnswers(libc, memory, state, answer(received, later));
          memory.expect(received);
          total += received;
        }
      };
      // A second number of the same socket: Node closes its own one when the thread ends, however that ends.
      const own = libc.fcntl(fd, linux.fDuplicateCloseOnExec, 3);
      const { socket: woken } = await openDgramSocket({ ...socket, fd: own });
      const first = createDgramAnswers(woken, responder);
      woken.on('message', (query, from) => {
        first.answer(query, from);
        drain();
      });
      const release = () => {
        state.isOpen = false;
        first.close();
      };
      const close = () => {
        if (state.isOpen) libc.close(fd);
        release();
      };
      return { endpoint: socket.endpoint, kept: { fd, release }, unsent: () => state.unsent + first.unsent(), close };
    },
  };
}

/** The client's address in each slot as the kernel writes it, by views that are made once. */
function createAskers(bytes: Uint8Array): (slot: number) => Uint8Array {
  const slots = Array.from({ length: batchSize }, (_, slot) => nameAt(slot));
  const four = slots.map((at) => bytes.subarray(at + 4, at + 8));
  const six = slots.map((at) => bytes.subarray(at + 8, at + 24));
  const mapped = slots.map((at) => bytes.subarray(at + 20, at + 24));
  return (slot) => {
    const at = nameAt(slot);
    if (bytes[at] === linux.inet) return four[slot] as Uint8Array;
    return (isMapped(bytes, at + 8) ? mapped : six)[slot] as Uint8Array;
  };
}
