import { resolve } from 'node:path';
import { z } from 'zod';
import { describeError, HsdoError } from '../../model/error.ts';
import { type Secret, withoutSecrets } from '../../model/secret.ts';
import { environmentOf, executable, programOptions } from '../../program/options.ts';
import { describeEnd, type Ended, firstLine, runProgram } from '../../program/run-program.ts';
import { startFault } from '../../program/startable.ts';
import { commonOptions, type SwitcherContext } from './options.ts';
import type { EntryPoint, Switcher } from './switcher.ts';

export const execSchema = z.strictObject({
  kind: z.literal('exec'),
  ...commonOptions,
  /** An executable that prints the name or the address of the current target; run once by each new leader. */
  init: executable.optional(),
  /** One that can say so at any time; run for every reading back. May be the same one. */
  current: executable.optional(),
  /** The executable that switches. */
  switch: executable,
  /** `args` are for `switch` alone: two always come after them, the target's name and its address (dhaf). `env` is for all. */
  ...programOptions,
});

type ExecConfig = z.output<typeof execSchema>;

/** Nothing that is repeated helps against these: no such file, not executable, no format that the system knows. */
const hopeless = ['ENOENT', 'EACCES', 'ENOEXEC', 'EPERM', 'ENOTDIR'];

/**
 * Lets executables of the operator say where the outside points, and switch it (dhaf's `exec`). Nothing goes through a
 * shell, and nothing that they started is left when a call is over.
 *
 * Where only `init` is given, its answer and after that the last switch of this object are believed: dhaf's init tells
 * the state at its start and need not be right later on. `current` is asked each time, so that it alone can notice what
 * others have changed. With neither of them nothing is known before the first switch.
 */
export function createExecSwitcher(config: ExecConfig, context: SwitcherContext): Switcher {
  const { clock, service, domain, baseFolder = '.' } = context;
  const secrets = Object.values(config.env);
  const about = { HSDO_SERVICE: service, ...(domain === undefined ? {} : { HSDO_DOMAIN: domain }) };
  const env = environmentOf(config.env, about);
  const asks = config.current ?? config.init;
  let believed: { readonly name: string | undefined } | undefined;

  async function run(what: string, program: string, args: readonly string[], own: Environment, signal: AbortSignal) {
    const file = resolve(baseFolder, program);
    const ended = await runProgram(file, args, { env: { ...env, ...own }, clock }, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      const isHopeless = hopeless.includes(String((error as NodeJS.ErrnoException).code));
      const reason = `Cannot run ${what} "${file}": ${describeError(error)}`;
      throw new HsdoError(isHopeless ? 'rejected' : 'unavailable', reason, { cause: error });
    });
    if (ended.code !== 0) throw new HsdoError('unavailable', `${what} "${file}" ${endOf(ended, secrets)}`);
    return ended;
  }

  return {
    async current(signal) {
      if (asks === undefined || (config.current === undefined && believed)) return believed?.name;
      const { stdout } = await run(config.current === undefined ? 'init' : 'current', asks, [], {}, signal);
      const line = firstLine(stdout);
      believed = { name: line === '' ? undefined : line };
      return believed.name;
    },
    async switchTo(entry, signal) {
      await run('switch', config.switch, [...config.args, entry.name, entry.address], variablesOf(entry), signal);
      believed = { name: entry.name };
    },
    async verify() {
      for (const what of ['init', 'current', 'switch'] as const) {
        const path = config[what];
        const file = path === undefined ? undefined : resolve(baseFolder, path);
        const reason = file === undefined ? undefined : await startFault(file);
        if (reason !== undefined) throw new HsdoError('rejected', `${what} "${file}" ${reason}`);
      }
      const says = 'can be started by this user';
      return { says: asks === undefined ? `switch ${says}; nothing tells where it points` : `all executables ${says}` };
    },
  };
}

type Environment = Readonly<Record<string, string>>;

const variablesOf = ({ name, address, port }: EntryPoint): Environment => ({
  HSDO_NAME: name,
  HSDO_ADDRESS: address,
  ...(port === undefined ? {} : { HSDO_PORT: String(port) }),
});

/** How it ended and the first line of its complaint, without the secrets that it was given. */
const endOf = (ended: Ended, secrets: readonly Secret[]): string =>
  describeEnd(ended, firstLine(withoutSecrets(ended.stderr, secrets)));
