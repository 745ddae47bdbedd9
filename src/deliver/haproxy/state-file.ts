import { readFile } from 'node:fs/promises';
import { HsdoError } from '../../model/error.ts';
import { replaceFile } from '../write-file.ts';
import { canonicalAddress } from './commands.ts';
import { haproxyName } from './config.ts';
import { type Remembered, stricter } from './decide.ts';
import { hasTarget, type Wanted, type WantedTarget } from './desired.ts';
import type { AdminState } from './observe.ts';

/** One backend of which the file tells. */
export interface StateFileBackend {
  readonly name: string;
  readonly baseName: string;
  readonly wanted: ReadonlyMap<number, Wanted>;
  readonly remembered: ReadonlyMap<number, Remembered>;
}

export interface StateFileOptions {
  /** Lines of other backends to keep. */
  readonly foreign?: readonly string[];
  /** `false` when no client will be there to give parked targets their weight. Default true. */
  readonly mayPark?: boolean;
}

/** All 25 columns are required, in this order (HAProxy management guide, "show servers state", format version 1). */
const header =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
const columnCount = 25;

/** srv_admin_state of a server that is "disabled" (0x04) in haproxy.cfg: without that bit HAProxy would keep it in maint. */
const adminBits: Readonly<Record<AdminState, number>> = { ready: 4, drain: 12, maint: 5 };

/**
 * Time, check status INI (1), result, health, check state (configured and enabled), agent state. With status 0 the check
 * of a restored server starts and never ends (seen on 2.6.12): it would stay up whatever happens to it.
 */
const checkColumns = '0 1 0 0 6 0';

function goalOf(wanted: WantedTarget, known: Remembered | undefined): AdminState {
  return stricter(wanted.admin, wanted.isForced ? undefined : known?.manual);
}

function memoryOf(backend: StateFileBackend, wanted: WantedTarget): Remembered | undefined {
  const known = backend.remembered.get(wanted.index);
  return known?.targetId === wanted.targetId ? known : undefined;
}

function lineOf(backend: StateFileBackend, wanted: WantedTarget, isParked: boolean): string {
  const known = memoryOf(backend, wanted);
  const goal = goalOf(wanted, known);
  const initialWeight = known?.initialWeight ?? 1;
  const [operational, weight] = [goal === 'maint' ? 0 : 2, isParked ? 0 : (wanted.weight ?? initialWeight)];
  const name = `${backend.baseName}${wanted.index}`;
  const address = canonicalAddress(wanted.address);
  if (address === undefined || !haproxyName.test(name) || !haproxyName.test(backend.name))
    throw new HsdoError(
      'rejected',
      `Cannot write server "${name}" at "${wanted.address}" to the state file: expected an IP address`,
    );
  const start = `1 ${backend.name} ${wanted.index} ${name} ${address} ${operational} ${adminBits[goal]} ${weight}`;
  return `${start} ${initialWeight} ${checkColumns} 0 0 - ${wanted.port} - 0 0 - - 0`;
}

function linesOf(backend: StateFileBackend, mayPark: boolean): string[] {
  const targets = [...backend.wanted.values()].filter(hasTarget);
  const isServing = (wanted: WantedTarget) =>
    goalOf(wanted, memoryOf(backend, wanted)) === 'ready' && memoryOf(backend, wanted)?.isUp === true;
  const parks = mayPark && targets.some(isServing);
  return targets.map((wanted) => {
    const known = memoryOf(backend, wanted);
    const isDown = known?.isUp === false && !known.hasAgent;
    const isParked = parks && wanted.weight !== undefined && isDown && goalOf(wanted, known) === 'ready';
    return lineOf(backend, wanted, isParked);
  });
}

/**
 * The text of a server-state file that brings HAProxy up with every target in its slot, in the state that the snapshot or
 * an operator's hold wants. Found out on HAProxy 2.6:
 * - Free slots are left out: they come up as haproxy.cfg has them, in maint on the placeholder.
 * - A restored ready server is up at once; no operational state, check result or health in the file changes that. So a
 *   target that was down is written with weight 0: it gets nothing, and its checks run. The client then counts it as
 *   down until its checks pass and gives it its weight. When no target of the backend is known to be up, none is parked.
 * - `srv_iweight` must be the weight of haproxy.cfg, or the weight is not restored.
 *
 */
export function composeStateFile(backends: readonly StateFileBackend[], options: StateFileOptions = {}): string {
  const { foreign = [], mayPark = true } = options;
  return `${['1', header, ...foreign, ...backends.flatMap((backend) => linesOf(backend, mayPark))].join('\n')}\n`;
}

/** The well-formed lines of backends that are not ours; one broken line would make HAProxy drop the whole file. */
export function foreignLines(text: string, ours: ReadonlySet<string>): readonly string[] {
  return text
    .split('\n')
    .slice(2)
    .filter((line) => {
      const cells = line.split(' ');
      return cells.length === columnCount && !ours.has(cells[1] ?? '');
    });
}

const turns = new Map<string, Promise<unknown>>();

/**
 * Brings the file up to date; entries of other backends stay. Writes in one step, and only if the text changes. Calls
 * for one path in one process take turns.
 *
 * @throws HsdoError `unavailable` when the disk refuses, naming the file.
 */
export async function writeStateFile(
  path: string,
  backends: readonly StateFileBackend[],
  options: Pick<StateFileOptions, 'mayPark'> = {},
): Promise<{ readonly isChanged: boolean }> {
  const write = async () => {
    const before = await readFile(path, 'utf8').catch(() => '');
    const foreign = foreignLines(before, new Set(backends.map(({ name }) => name)));
    const text = composeStateFile(backends, { ...options, foreign });
    if (text === before) return { isChanged: false };
    // HAProxy may run as another user; there is nothing secret in it.
    await replaceFile(path, text, 0o644);
    return { isChanged: true };
  };
  const turn = (turns.get(path) ?? Promise.resolve()).then(write, write);
  turns.set(
    path,
    turn.catch(() => {}),
  );
  try {
    return await turn;
  } catch (cause) {
    if (cause instanceof HsdoError) throw cause;
    throw new HsdoError('unavailable', `Cannot write the server-state file "${path}"`, { cause });
  }
}
