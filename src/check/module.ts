import { z } from 'zod';
import { extensionError, lazyExtension } from '../extension/load.ts';
import { describeError } from '../model/error.ts';
import { failed, type Probe, passed, unasked } from '../model/probe.ts';
import { type CheckContext, commonOptions, type HealthCheck } from './health-check.ts';

export const moduleSchema = z.strictObject({
  kind: z.literal('module'),
  ...commonOptions,
  /** A file of JavaScript or TypeScript that exports createCheck; a relative one starts from the working directory. */
  path: z.string().min(1),
  /** What createCheck is given. */
  options: z.record(z.string(), z.unknown()).default({}),
});

const milliseconds = z.number().min(0).exactOptional();
const answerSchema = z.union([
  z.boolean().transform((up) => ({ up })),
  z.object({ up: z.boolean(), reason: z.string().exactOptional(), connectMs: milliseconds, totalMs: milliseconds }),
]);

/** Asks by a function of the user's own (see src/extension). What it throws, or answers in another shape, says nothing against the target. */
export function createModuleCheck(
  config: z.output<typeof moduleSchema>,
  { service, domain }: CheckContext,
): HealthCheck {
  const extension = lazyExtension('createCheck', config, {
    name: service,
    ...(domain === undefined ? {} : { domain }),
  });
  return {
    async check({ id, name, address, port }, signal): Promise<Probe> {
      const target = { id, name, address, ...(port === undefined ? {} : { port }) };
      try {
        const check = await extension();
        return probeOf(config.path, await check.check(target, signal));
      } catch (error) {
        signal.throwIfAborted();
        return unasked('error', describeError(extensionError(`Extension "${config.path}"`, error)));
      }
    },
  };
}

function probeOf(path: string, answer: unknown): Probe {
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) {
    return unasked('error', `Extension "${path}" answered in another shape, expected true, false or {up, reason}`);
  }
  const { up, reason, ...times }: { up: boolean; reason?: string } = parsed.data;
  return up
    ? passed(reason ?? 'It says so', times)
    : failed('extension', reason ?? `Extension "${path}" says no`, times);
}
