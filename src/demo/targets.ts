import { rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { freePort } from './free-port.ts';

/** A small HTTP server on a loopback address of its own, to which HAProxy sends requests. */
export interface DemoTarget {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Requests that reached it, health checks not counted. */
  requests(): number;
  /** What `/health` says: 200 or 503. */
  setReady(isReady: boolean): void;
  /** Resets every connection and closes the port, as a process does that is killed. */
  crash(): void;
  /** Listens again, on the same port. */
  repair(): Promise<void>;
}

/** All targets of the demo, and the file that tells hsdo of some of them. */
export interface Targets {
  readonly all: readonly DemoTarget[];
  named(name: string): DemoTarget;
  /** Names in the file now. */
  listed(): readonly string[];
  /** Replaces the file in one step, as a careful author would. */
  list(names: readonly string[]): Promise<void>;
  /** Whether an answer of this target is right at this moment. */
  mayServe(name: string): boolean;
  setMayServe(name: string, mayServe: boolean): void;
  close(): void;
}

async function openTarget(name: string, address: string): Promise<DemoTarget> {
  const port = await freePort(address);
  const sockets = new Set<Socket>();
  let requests = 0;
  let isReady = true;
  let server: Server | undefined;
  const listen = async () => {
    server = createServer((request, response) => {
      const isCheck = request.url === '/health';
      if (!isCheck) requests += 1;
      response.writeHead(isReady ? 200 : 503, { 'content-type': 'text/plain', 'x-target': name });
      response.end(isCheck ? (isReady ? 'ready\n' : 'not ready\n') : `${name} answers\n`);
    });
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server?.once('error', reject);
      server?.listen(port, address, resolve);
    });
  };
  await listen();
  return {
    name,
    address,
    port,
    requests: () => requests,
    setReady(next) {
      isReady = next;
    },
    crash() {
      server?.close();
      server = undefined;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    repair: listen,
  };
}

/** Opens `count` targets, web-1 and so on, on 127.77.0.1 and so on. The file says `[]` at first. */
export async function openTargets(count: number, path: string): Promise<Targets> {
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  const all = await Promise.all(numbers.map((n) => openTarget(`web-${n}`, `127.77.0.${n}`)));
  const mayServe = new Set<string>();
  let listed: readonly string[] = [];
  const named = (name: string) => {
    const target = all.find((one) => one.name === name);
    if (!target) throw new Error(`the demo has no target ${name}`);
    return target;
  };
  const list = async (names: readonly string[]) => {
    const lines = names
      .map(named)
      .map(({ name, address, port }) => `- { name: ${name}, address: ${address}, port: ${port} }`);
    await writeFile(`${path}.new`, `${lines.length === 0 ? '[]' : lines.join('\n')}\n`);
    await rename(`${path}.new`, path);
    listed = names;
  };
  await list([]);
  return {
    all,
    named,
    listed: () => listed,
    list,
    mayServe: (name) => mayServe.has(name),
    setMayServe(name, may) {
      if (may) mayServe.add(name);
      else mayServe.delete(name);
    },
    close() {
      for (const target of all) target.crash();
    },
  };
}
