import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of DynamoDB as it went over the wire. */
export interface Call {
  readonly operation: string;
  readonly request: unknown;
  readonly response: unknown;
  /** By `performance.now()`. */
  readonly at: number;
}

/** An HTTP proxy in front of DynamoDB that keeps every call. */
export interface RecordingProxy {
  readonly endpoint: string;
  calls(): readonly Call[];
  stop(): Promise<void>;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function pass(backend: string, message: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const { method, url: path, headers } = message;
  return new Promise((resolve, reject) => {
    const onward = request(backend, { method, path, headers, agent: false }, resolve);
    onward.once('error', reject);
    onward.end(body);
  });
}

export async function startRecordingProxy(backend: string): Promise<RecordingProxy> {
  const calls: Call[] = [];
  const server = createServer((message, response) => {
    const answer = async () => {
      const at = performance.now();
      const asked = await bodyOf(message);
      const given = await pass(backend, message, asked);
      const body = await bodyOf(given);
      const operation = String(message.headers['x-amz-target']).split('.').at(-1) ?? '';
      calls.push({ operation, request: JSON.parse(asked.toString()), response: JSON.parse(body.toString()), at });
      response.writeHead(given.statusCode ?? 502, given.headers);
      response.end(body);
    };
    answer().catch(() => message.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
