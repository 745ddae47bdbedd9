import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up): one of those may be taken by a client
 * between the look and the use.
 */
const [lowest, highest] = [20_000, 32_000];
const tries = 200;

/** A TCP port of `host` that was free a moment ago and that no outgoing connection gets by chance. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let n = 0; n < tries; n += 1) {
    const port = randomInt(lowest, highest);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port of ${host} from ${lowest} to ${highest} was found in ${tries} tries`);
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
  }
}
