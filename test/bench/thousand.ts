import { type Haproxy, renderForTest, startHaproxy } from '../fixtures/haproxy.ts';
import { asBatch } from './haproxy-prompt.ts';

/** The size of the list in every measurement but those that say otherwise. */
export const slotCount = 1000;

export const backend = 'web';
const indexes = Array.from({ length: slotCount }, (_, position) => position + 1);

/**
 * A real HAProxy with 1000 slots or as many as asked for, from the delivered template. Health checks are left out, or rest for an hour after
 * their first run, so that only what is measured keeps it busy.
 */
export function startThousand(options: { readonly hasChecks: boolean; readonly size?: number }): Promise<Haproxy> {
  const { hasChecks, size = slotCount } = options;
  const timing = 'inter 1h';
  return startHaproxy({
    config(places) {
      const text = renderForTest(places, { size, checkTiming: timing, withoutStateFile: true }).replace(
        /^global$/m,
        // Otherwise every server that goes down is told on stderr, and this process would spend its time reading that.
        'global\n    quiet',
      );
      return hasChecks ? text : text.replace(` check ${timing}`, '');
    },
  });
}

/** Puts every slot back to how haproxy.cfg has it: in maintenance, on the placeholder. */
export async function freeAll(haproxy: Haproxy): Promise<void> {
  const commands = indexes.flatMap((index) => [
    `set server ${backend}/web${index} state maint`,
    `set server ${backend}/web${index} addr 127.0.0.2 port 80`,
    `set server ${backend}/web${index} weight 1`,
  ]);
  await asBatch(haproxy.socketPath, commands);
}
