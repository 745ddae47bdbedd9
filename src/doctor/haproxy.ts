import { stat } from 'node:fs/promises';
import type { Config, ServiceConfig } from '../config/schema.ts';
import { suggestion } from '../config/suggest.ts';
import { canonicalAddress } from '../deliver/haproxy/commands.ts';
import { type BackendConfig, type HaproxyConfig, parseSocket } from '../deliver/haproxy/config.ts';
import { indexOf, parseServersState } from '../deliver/haproxy/observe.ts';
import { openRuntimeApi, type RuntimeApi } from '../deliver/haproxy/runtime-api.ts';
import { describeError } from '../model/error.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

/** What one service expects of an HAProxy. */
interface Expected {
  readonly service: Pick<ServiceConfig, 'name' | 'size'>;
  readonly haproxy: Pick<HaproxyConfig, 'backends' | 'grow'>;
}

const startRemedy =
  'start HAProxy with `stats socket PATH mode 660 level admin` in its global section; `hsdo haproxy-config` prints a whole configuration';

/** Every socket of the configuration once, with all services that it is for. */
export function haproxyExaminations({ services }: Config): readonly Examination[] {
  const bySocket = new Map<string, { readonly timeoutMs: number; readonly expected: Expected[] }>();
  for (const service of services) {
    const { haproxy } = service;
    if (haproxy === undefined) continue;
    for (const socket of haproxy.sockets) {
      const known = bySocket.get(socket) ?? { timeoutMs: haproxy.timeoutMs, expected: [] };
      bySocket.set(socket, { ...known, expected: [...known.expected, { service, haproxy }] });
    }
  }
  return [...bySocket].map(([socket, { timeoutMs, expected }]) => ({
    about: `HAProxy ${socket}`,
    remedy: startRemedy,
    look: (signal) => lookAtSocket(socket, { timeoutMs, expected }, signal),
  }));
}

async function lookAtSocket(
  socket: string,
  { timeoutMs, expected }: { readonly timeoutMs: number; readonly expected: readonly Expected[] },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const about = `HAProxy ${socket}`;
  const misplaced = await placeFinding(socket);
  if (misplaced) return [misplaced];
  let api: RuntimeApi;
  try {
    api = await openRuntimeApi(socket, { timeoutMs }, signal);
  } catch (error) {
    const said = describeError(error);
    return [fault(about, said, said.includes('permission denied') ? await rightsRemedy(socket) : startRemedy)];
  }
  try {
    const [info = '', level = '', backends = ''] = await api.pipeline(['show info', 'show cli level', 'show backend']);
    const names = backends.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const wanted = expected.flatMap((one) => one.haproxy.backends.map((backend) => ({ ...one, backend })));
    const states = await api.pipeline(wanted.map(({ backend }) => `show servers state ${backend.name}`));
    return [
      versionFinding(about, info),
      levelFinding(about, level),
      ...wanted.map((one, n) => backendFinding(about, one, { names, state: states[n] ?? '' })),
    ];
  } finally {
    api.close();
  }
}

/** What is wrong with a path that is no socket, which the system tells less clearly. */
async function placeFinding(socket: string): Promise<Finding | undefined> {
  const address = parseSocket(socket);
  if (address?.kind !== 'unix') return undefined;
  const seen = await stat(address.path).catch(() => undefined);
  if (seen === undefined || seen.isSocket()) return undefined;
  const what = seen.isDirectory() ? 'a folder' : 'a file, but no socket';
  return fault(`HAProxy ${socket}`, `it is ${what}`, 'name the path that stands after "stats socket" in haproxy.cfg');
}

async function rightsRemedy(socket: string): Promise<string> {
  const address = parseSocket(socket);
  const seen = address?.kind === 'unix' ? await stat(address.path).catch(() => undefined) : undefined;
  const owner =
    seen === undefined
      ? 'its folder may not be entered'
      : `it belongs to user ${seen.uid} and group ${seen.gid}, mode ${(seen.mode & 0o777).toString(8)}`;
  return `${owner}: add the user of hsdo to the group of the socket (SupplementaryGroups=haproxy in the unit), or give \`mode 660 group NAME\` on the stats socket line`;
}

function versionFinding(about: string, info: string): Finding {
  const version = /^Version: (.+)$/m.exec(info)?.[1];
  const uptime = /^Uptime: (.+)$/m.exec(info)?.[1];
  if (version !== undefined) return ok(about, `answers: version ${version}, up for ${uptime ?? 'some time'}`);
  const said = JSON.stringify(info.slice(0, 60));
  return fault(
    about,
    `it answers, but not as HAProxy does: ${said}`,
    'name the Runtime API (stats socket), not a port for traffic',
  );
}

/** What the connection may do, as `show cli level` tells it (HAProxy management guide, 9.3). */
export function levelFinding(about: string, reply: string): Finding {
  const level = reply.trim();
  if (level === 'admin') return ok(about, 'level admin: hsdo may change servers');
  const remedy = 'write `level admin` on the stats socket line in haproxy.cfg and reload HAProxy';
  return fault(about, `level ${level || 'unknown'}: hsdo may look, but change nothing`, remedy);
}

/**
 * Whether a backend is there under its name, with servers under the base name and as many as the list has slots.
 *
 * @param seen.names - Names of all backends (`show backend`).
 * @param seen.state - The reply to `show servers state BACKEND`.
 */
export function backendFinding(
  place: string,
  { service, haproxy, backend }: Expected & { readonly backend: Pick<BackendConfig, 'name' | 'baseName'> },
  { names, state }: { readonly names: readonly string[]; readonly state: string },
): Finding {
  const about = `${place}, backend ${backend.name}`;
  const template = `\`server-template ${backend.baseName} 1-${service.size} ...\``;
  if (!names.includes(backend.name)) {
    const others = names.length === 0 ? 'it has none' : `it has ${names.slice(0, 5).join(', ')}`;
    const says = `HAProxy has no such backend (${others})${suggestion(backend.name, names)}`;
    return fault(about, says, `name it as haproxy.cfg does, or add \`backend ${backend.name}\` with ${template}`);
  }
  const { servers } = parseServersState(state, backend.name, backend.baseName, canonicalAddress);
  const slots = [...servers.keys()].filter((index) => index <= service.size).length;
  if (slots === 0) {
    const others = serverNames(state);
    const shown = others.length === 0 ? 'it has no servers' : `its servers are ${others.slice(0, 3).join(', ')}`;
    const near = baseNameOf(others);
    const hint = near === undefined ? '' : ` (or set the base name to "${near}")`;
    return fault(about, `no server is called ${backend.baseName}1 and so on; ${shown}`, `write ${template}${hint}`);
  }
  if (slots < service.size && haproxy.grow) {
    return ok(about, `${slots} of ${service.size} slots; hsdo adds the others at run time (grow)`);
  }
  if (slots < service.size) {
    const says = `it has ${slots} servers, but the list of ${service.name} has ${service.size} slots: targets in the others get no traffic`;
    return fault(about, says, `write ${template} and reload HAProxy, or make the list shorter`);
  }
  if (servers.size > service.size) {
    const says = `it has ${servers.size} servers, more than the ${service.size} slots of ${service.name}`;
    return warning(about, says, `write ${template}, or make the list longer; the others stay as they are`);
  }
  return ok(about, `${slots} slots, as the list of ${service.name} has`);
}

function serverNames(state: string): readonly string[] {
  const [, header = '', ...lines] = state.trim().split('\n');
  const at = header.replace(/^# /, '').split(' ').indexOf('srv_name');
  return at < 0 ? [] : lines.flatMap((line) => line.split(' ')[at] ?? []);
}

/** The base name that these servers seem to have: letters before a 1. */
function baseNameOf(names: readonly string[]): string | undefined {
  return names
    .map((name) => name.replace(/\d+$/, ''))
    .find((base) => base !== '' && names.some((name) => indexOf(name, base) === 1));
}
