import { resolve } from 'node:path';
import { z } from 'zod';
import { describeError, HsdoError } from '../model/error.ts';
import { failed, type Probe, passed, unasked } from '../model/probe.ts';
import { type Secret, withoutSecrets } from '../model/secret.ts';
import { environmentOf, executable, programOptions } from '../program/options.ts';
import { describeEnd, type Ended, lastLine, runProgram } from '../program/run-program.ts';
import { withDeadline } from '../time/deadline.ts';
import { type CheckContext, commonOptions, type HealthCheck } from './health-check.ts';

export const execSchema = z.strictObject({
  kind: z.literal('exec'),
  ...commonOptions,
  /** An executable that must end with 0 once before the first check; relative to the configuration's folder. */
  init: executable.optional(),
  /** The executable that is run for each check; relative to the configuration's folder. */
  check: executable,
  /** Two arguments always come after `args`: the target's name and its address (dhaf). */
  ...programOptions,
});

type ExecConfig = z.output<typeof execSchema>;

/** The part of a check's time that init may take, so that a slow init is never taken for a slow target. */
const initShare = 0.9;

/**
 * Runs an executable with the target's name and address: it is up when that ends with 0 (dhaf's `exec`). Nothing goes
 * through a shell, and nothing that it started is left when the check is over. An executable that cannot be started, and
 * an init that fails, say nothing about the target; init is tried again by the next check.
 */
export function createExecCheck(config: ExecConfig, context: CheckContext): HealthCheck {
  const { clock, baseFolder = '.' } = context;
  const secrets = Object.values(config.env);
  const env = environmentOf(config.env);
  const check = resolve(baseFolder, config.check);
  const init = config.init === undefined ? undefined : resolve(baseFolder, config.init);
  let ready: Promise<void> | undefined;

  async function prepare(program: string, signal: AbortSignal): Promise<void> {
    const { timeoutSeconds } = config;
    const what = `init "${program}"`;
    const ended = await withDeadline(what, timeoutSeconds * 1000 * initShare, signal, (inner) =>
      runProgram(program, [], { env, clock }, inner),
    );
    if (ended.code !== 0) throw new HsdoError('unavailable', `${what} ${endOf(ended, secrets)}`);
  }

  /** Checks that begin together wait for the same run. */
  async function beReady(program: string, signal: AbortSignal): Promise<void> {
    ready ??= prepare(program, signal);
    const mine = ready;
    try {
      await mine;
    } catch (error) {
      if (ready === mine) ready = undefined;
      throw error;
    }
  }

  return {
    async check(target, signal) {
      try {
        if (init !== undefined) await beReady(init, signal);
        const args = [...config.args, target.name, target.address];
        return probeOf(check, await runProgram(check, args, { env, clock }, signal), secrets);
      } catch (error) {
        signal.throwIfAborted();
        return unasked('error', `Cannot run the check "${check}": ${describeError(error)}`);
      }
    },
  };
}

function probeOf(program: string, ended: Ended, secrets: readonly Secret[]): Probe {
  if (ended.code === 0) return passed(`"${program}" ${endOf(ended, secrets)}`);
  return failed(ended.signal === null ? 'exit' : 'signal', `"${program}" ${endOf(ended, secrets)}`);
}

/** How it ended and the last line that it printed, without the secrets that it was given. */
const endOf = (ended: Ended, secrets: readonly Secret[]): string =>
  describeEnd(ended, lastLine(withoutSecrets(ended.output, secrets)));
