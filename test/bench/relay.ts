import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';

/** A Unix socket in front of another that writes down what goes through. */
export interface Relay {
  readonly path: string;
  /** Lines that clients sent, in order. */
  lines(): readonly string[];
  /** Connections so far. */
  connections(): number;
  stop(): Promise<void>;
}

export async function startRelay(path: string, backendPath: string): Promise<Relay> {
  let [sent, connections] = ['', 0];
  const server = createServer((client) => {
    connections += 1;
    const onward = connect(backendPath);
    client.on('data', (chunk: Buffer) => {
      sent += chunk.toString('utf8');
    });
    client.pipe(onward).pipe(client);
    client.on('error', () => onward.destroy());
    client.on('close', () => onward.destroy());
    onward.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    path,
    lines: () => sent.split('\n').filter((line) => line !== ''),
    connections: () => connections,
    async stop() {
      await new Promise((resolve) => server.close(resolve));
      await rm(path, { force: true });
    },
  };
}
