import { z } from 'zod';
import { failed, type Probe, passed, unasked } from '../model/probe.ts';
import { describeEnd, type Ended, lastLine, leanEnvironment, runProgram } from '../program/run-program.ts';
import { type CheckContext, commonOptions, type HealthCheck } from './health-check.ts';

export const icmpSchema = z.strictObject({ kind: z.literal('icmp'), ...commonOptions });

/**
 * One echo request by the program `ping` of the system (iputils or busybox), which has the right to send it; Node has no
 * ICMP of its own. Exit codes of ping(8): 0 for an answer, 1 for none, 2 for everything else.
 */
export function createIcmpCheck(config: z.output<typeof icmpSchema>, context: CheckContext): HealthCheck {
  const { timeoutSeconds } = config;
  // Whole seconds, since busybox knows no others; the caller's deadline is the exact one.
  const wait = String(Math.max(1, Math.ceil(timeoutSeconds)));
  const { clock } = context;
  return {
    async check(target, signal) {
      const args = ['-n', '-q', '-c', '1', '-W', wait, target.address];
      try {
        const env = { ...leanEnvironment('C'), LC_ALL: 'C' };
        return probeOf(target.address, await runProgram('ping', args, { env, clock }, signal));
      } catch (error) {
        signal.throwIfAborted();
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT' ? ', which must be installed' : '';
        return unasked('error', `Cannot run the program "ping"${missing}: ${(error as Error).message}`);
      }
    },
  };
}

function probeOf(address: string, ended: Ended): Probe {
  const { code, output } = ended;
  if (code === 0) {
    const rtt = /(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = ([\d.]+)\//.exec(output)?.[1];
    const answered = `${address} answers`;
    return rtt === undefined ? passed(answered) : passed(answered, { connectMs: Number(rtt), totalMs: Number(rtt) });
  }
  if (/unreachable|, \+\d+ errors/i.test(output)) return failed('unreachable', `There is no route to ${address}`);
  if (code === 1) return failed('timeout', `${address} does not answer an echo request`);
  return unasked('error', `The program "ping" ${describeEnd(ended, lastLine(output))}`);
}
