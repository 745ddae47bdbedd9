import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up): one of those may be taken by a client
 * between the look and the use.
 */
const [lowest, highest] = [20_000, 32_000];
const tries = 200;

/** A TCP port of `host` that was free a moment ago and that no outgoing connection gets by chance. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return findPort(host, (port) => isFree(host, port));
}

async function findPort(host: string, isGood: (port: number) => Promise<boolean>): Promise<number> {
  for (let n = 0; n < tries; n += 1) {
    const port = randomInt(lowest, highest);
    if (await isGood(port)) return port;
  }
  throw new Error(`no free port of ${host} from ${lowest} to ${highest} was found in ${tries} tries`);
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = await listenAt(host, port);
  if (server) await close(server);
  return server !== undefined;
}

async function listenAt(host: string, port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

async function isFreeForUdp(host: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

const isFreeForBoth = async (host: string, port: number) =>
  (await isFree(host, port)) && (await isFreeForUdp(host, port));

/** A port for DNS, UDP and TCP. */
export interface DnsPort {
  readonly port: number;
  /** Lets the next demo have the usual port. */
  release(): Promise<void>;
}

/**
 * The usual port where it can be had, so that a command can be told from mouth to mouth; else any other.
 *
 * Some seconds go by before hsdo listens there, and another demo may look meanwhile. So who has the usual port also listens on
 * `claimHost`, with nothing to say there.
 */
export async function takeDnsPort(usual: number, host = '127.0.0.1', claimHost = '127.77.0.53'): Promise<DnsPort> {
  const claim = await listenAt(claimHost, usual);
  if (claim && (await isFreeForBoth(host, usual))) return { port: usual, release: () => close(claim) };
  if (claim) await close(claim);
  return { port: await findPort(host, (port) => isFreeForBoth(host, port)), release: async () => {} };
}
