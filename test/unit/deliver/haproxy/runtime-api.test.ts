import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkCommand, openRuntimeApi } from '../../../../src/deliver/haproxy/runtime-api.ts';
import { freePort } from '../../../fixtures/ports.ts';
import { until } from '../../../fixtures/until.ts';

let folder: string;
let path: string;
let server: Server | undefined;
const peers: Socket[] = [];
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsdo-api-'));
  path = join(folder, 'peer.sock');
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A peer that answers every line as told; `undefined` is no answer. */
async function listen(answer: (line: string, peer: Socket) => string | undefined): Promise<void> {
  server = createServer((peer) => {
    peers.push(peer);
    let rest = '';
    peer.on('error', () => {});
    peer.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const text = answer(line, peer);
        if (text === undefined || peer.write(text) || peer.isPaused()) continue;
        // As HAProxy does: who does not take his replies is not read from.
        peer.pause();
        peer.once('drain', () => peer.resume());
      }
    });
  });
  await new Promise<void>((resolve) => server?.listen(path, resolve));
}

const open = (timeoutMs = 1000, signal = never) => openRuntimeApi(path, { timeoutMs }, signal);

describe('a connection to the Runtime API', () => {
  it('turns prompt mode on first and gives each command its reply', async () => {
    const lines: string[] = [];
    await listen((line) => {
      lines.push(line);
      return line === 'prompt' || line.startsWith('set') ? '\n> ' : `reply to ${line}\n\n> `;
    });
    const api = await open();
    expect(await api.ask('show info')).toBe('reply to show info\n');
    expect(await api.pipeline(['set a', 'show b', 'set c'])).toEqual(['', 'reply to show b\n', '']);
    expect(await api.pipeline([])).toEqual([]);
    api.close();
    expect(lines).toEqual(['prompt', 'show info', 'set a', 'show b', 'set c']);
  });

  it('finds the prompt wherever the stream is cut', async () => {
    await listen((line, peer) => {
      for (const letter of line === 'prompt' ? '\n> ' : 'one\ntwo > three\n\n> ') peer.write(letter);
      return undefined;
    });
    const api = await open();
    expect(await api.ask('show')).toBe('one\ntwo > three\n');
    api.close();
  });

  it('takes replies while it writes, so that 20 000 commands block nobody', async () => {
    await listen((line) => (line === 'prompt' ? '\n> ' : `${line} ${'x'.repeat(200)}\n> `));
    const commands = Array.from({ length: 20_000 }, (_, number) => `set server web/web${number} weight 10`);
    const api = await open(5000);
    const replies = await api.pipeline(commands);
    expect(replies).toHaveLength(20_000);
    expect(replies.every((reply, at) => reply.startsWith(`${commands[at]} x`))).toBe(true);
    api.close();
  });

  it('works over TCP', async () => {
    const port = await freePort();
    server = createServer((peer) => {
      peers.push(peer);
      peer.on('data', (chunk) => peer.write(chunk.toString().replaceAll(/[^\n]+\n/g, '\n> ')));
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    const api = await openRuntimeApi(`127.0.0.1:${port}`, { timeoutMs: 1000 }, never);
    expect(await api.ask('show info')).toBe('');
    api.close();
  });
});

describe('a connection that fails says where and why', () => {
  const unavailable = (text: RegExp) =>
    expect.objectContaining({ code: 'unavailable', message: expect.stringMatching(text) });

  it('names a socket file that does not exist', async () => {
    await expect(open()).rejects.toEqual(unavailable(/peer\.sock": there is no such file/));
  });

  it('names a socket on which nothing listens', async () => {
    const port = await freePort();
    await expect(openRuntimeApi(`127.0.0.1:${port}`, { timeoutMs: 500 }, never)).rejects.toEqual(
      unavailable(/nothing listens there/),
    );
  });

  it('names a peer that closes before it answered', async () => {
    await listen((line, peer) => {
      if (line !== 'prompt') peer.destroy();
      return '\n> ';
    });
    const api = await open();
    await expect(api.pipeline(['show a', 'show b'])).rejects.toEqual(
      unavailable(/closed the connection|EPIPE|ECONNRESET/),
    );
    await expect(api.ask('show c')).rejects.toEqual(unavailable(/peer\.sock/));
  });

  it('gives up on a peer that is silent, after its time-out', async () => {
    await listen(() => undefined);
    const api = await open(80);
    await expect(api.ask('show info')).rejects.toEqual(unavailable(/did not answer in 80 ms/));
  });

  it('ends at once when the signal says so', async () => {
    await listen(() => undefined);
    const stopping = new AbortController();
    const api = await open(60_000, stopping.signal);
    const asked = api.ask('show info');
    stopping.abort(new Error('stopping'));
    await expect(asked).rejects.toThrow('stopping');
  });

  it('leaves no connection behind', async () => {
    await listen(() => undefined);
    const api = await open(50);
    await api.ask('show info').catch(() => {});
    await until('the peer sees the end', () => peers.length === 1 && peers.every(({ destroyed }) => destroyed));
  });
});

describe('a command', () => {
  it('is refused when a part of it could become another command', () => {
    for (const command of ['a;b', 'a\nb', 'a\rb', 'a <<', 'a<<b', 'a\\b', 'a\0b', 'ä', '', 'x'.repeat(1000)])
      expect(() => checkCommand(command)).toThrow(expect.objectContaining({ code: 'rejected' }));
    expect(checkCommand('set server web/web1 addr 2001:db8::1 port 80')).toContain('2001:db8::1');
  });

  it('that passes is one line of printable characters, whatever was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        try {
          expect(checkCommand(text)).toMatch(/^[ -~]+$/);
          expect(text).not.toMatch(/[;\\]|<</);
        } catch (error) {
          expect(error).toMatchObject({ code: 'rejected' });
        }
      }),
    );
  });
});
