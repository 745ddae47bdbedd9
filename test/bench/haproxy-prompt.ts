import { connect, type Socket } from 'node:net';

/** A plain client of the Runtime API in prompt mode; shares no code with hsdo's own. */
export interface Prompt {
  /** Sends all commands in one write and resolves with their replies. */
  batch(commands: readonly string[]): Promise<readonly string[]>;
  close(): void;
}

const greeting = ['prompt'];

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Opens one connection that is closed by the caller. It reads nothing and plans nothing: the floor of what any client costs. */
export async function openPrompt(path: string): Promise<Prompt> {
  const socket = await connected(path);
  let [text, isGreeted] = ['', false];
  let waiting: { count: number; resolve: (replies: string[]) => void; reject: (error: Error) => void } | undefined;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (!text.endsWith('\n> ') || !waiting) return;
    const replies = text.slice(0, -3).split('\n> ');
    if (replies.length < waiting.count) return;
    text = '';
    waiting.resolve(replies);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error(`HAProxy at "${path}" closed the connection`)));
  return {
    async batch(commands) {
      const lines = isGreeted ? commands : [...greeting, ...commands];
      const replies = await new Promise<string[]>((resolve, reject) => {
        waiting = { count: lines.length, resolve, reject };
        socket.write(`${lines.join('\n')}\n`);
      });
      const skipped = isGreeted ? 0 : greeting.length;
      isGreeted = true;
      return replies.slice(skipped);
    },
    close: () => void socket.destroy(),
  };
}

/** The commands as one pipelined batch on a connection of its own. */
export async function asBatch(path: string, commands: readonly string[]): Promise<void> {
  const prompt = await openPrompt(path);
  await prompt.batch(commands);
  prompt.close();
}

function alone(path: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${command}\n`));
    socket.once('error', reject);
    socket.on('data', () => {});
    socket.once('close', () => resolve());
  });
}

/** The commands one after the other, each on a connection of its own: HSDO's way, and `socat`'s. */
export async function oneByOne(path: string, commands: readonly string[]): Promise<void> {
  for (const command of commands) await alone(path, command);
}
