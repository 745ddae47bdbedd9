import { connect } from 'node:net';
import { HsdoError } from '../model/error.ts';
import { withDeadline } from '../time/deadline.ts';

/** One slot as HAProxy itself tells it. */
export interface HaproxyServer {
  readonly index: number;
  readonly address: string;
  readonly port: number;
  readonly admin: 'ready' | 'drain' | 'maint';
  readonly isUp: boolean;
  readonly weight: number;
}

/** The worker that answered, and its slots. */
export interface HaproxyState {
  readonly workerPid: number;
  readonly version: string;
  readonly servers: readonly HaproxyServer[];
}

const timeoutMs = 2000;
const maxReplyBytes = 1024 * 1024;

/** Sends commands on one connection and gives everything that came back (management guide, 9.3). */
function ask(socketPath: string, commands: string, signal: AbortSignal): Promise<string> {
  return withDeadline(`HAProxy at "${socketPath}"`, timeoutMs, signal, (inner) => {
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath, () => socket.end(`${commands}\n`));
      let reply = '';
      inner.addEventListener('abort', () => socket.destroy(), { once: true });
      socket.setEncoding('utf8');
      socket.on('data', (text: string) => {
        reply += text;
        if (reply.length > maxReplyBytes) socket.destroy(new Error('the reply does not end'));
      });
      socket.once('error', (cause) =>
        reject(new HsdoError('unavailable', `Cannot ask HAProxy at "${socketPath}"`, { cause })),
      );
      socket.once('close', () => resolve(reply));
    });
  });
}

function unusable(what: string, text: string): HsdoError {
  return new HsdoError('unavailable', `Cannot read HAProxy's ${what}: it said ${JSON.stringify(text.slice(0, 120))}`);
}

/** Bits of srv_admin_state (management guide, "show servers state"). */
function adminOf(bits: number): HaproxyServer['admin'] {
  if ((bits & 0x23) !== 0) return 'maint';
  return (bits & 0x18) === 0 ? 'ready' : 'drain';
}

/**
 * Parses the reply to `show info;show servers state web` of a server-template with the base name `web`.
 *
 * @throws HsdoError `unavailable` when it is not such a reply, as for a moment during a reload.
 */
export function parseState(text: string): HaproxyState {
  const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1]?.trim();
  const [pid, version] = [Number(field('Pid')), field('Version')];
  const [, names, rows] = /^1\n# (.+)\n([\s\S]*)$/m.exec(text) ?? [];
  if (!Number.isInteger(pid) || version === undefined) throw unusable('process', text);
  if (names === undefined || rows === undefined) throw unusable('server list', text.slice(-120));
  const columns = names.trim().split(' ');
  const servers = rows.split('\n').flatMap((row): HaproxyServer[] => {
    const cells = row.trim().split(' ');
    const cell = (name: string) => cells[columns.indexOf(name)] ?? '';
    const index = /^web([1-9]\d*)$/.exec(cell('srv_name'))?.[1];
    if (index === undefined) return [];
    return [
      {
        index: Number(index),
        address: cell('srv_addr'),
        port: Number(cell('srv_port')),
        admin: adminOf(Number(cell('srv_admin_state'))),
        isUp: cell('srv_op_state') !== '0',
        weight: Number(cell('srv_uweight')),
      },
    ];
  });
  return { workerPid: pid, version, servers };
}

/** Reads what HAProxy says now, past hsdo: the demo believes nobody else about HAProxy. */
export async function readState(socketPath: string, signal: AbortSignal): Promise<HaproxyState> {
  return parseState(await ask(socketPath, 'show info;show servers state web', signal));
}
