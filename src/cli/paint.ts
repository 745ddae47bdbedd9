import pc from 'picocolors';
import type { ServiceState } from '../api/view.ts';

/** The parts of an output that say whether it shows colours. */
export interface Canvas {
  readonly isTTY?: boolean;
}

/**
 * Whether colours are written there: on terminals alone, unless NO_COLOR (no-color.org) is set to anything, or TERM is dumb;
 * FORCE_COLOR wants them everywhere, and 0 or false there nowhere.
 */
export function hasColor({ isTTY }: Canvas, env: NodeJS.ProcessEnv = process.env): boolean {
  const { NO_COLOR: no, FORCE_COLOR: force } = env;
  if (no !== undefined && no !== '') return false;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTTY === true && env['TERM'] !== 'dumb';
}

/** Colours for that output, or functions that leave the text as it is. */
export const paints = (canvas: Canvas) => pc.createColors(hasColor(canvas));

/** The state of a service in its colour, for standard output. */
export function paintState(state: ServiceState): string {
  const { green, yellow, red, dim } = paints(process.stdout);
  return { ok: green, holding: yellow, unpublished: dim, 'no-quorum': yellow, panic: red }[state](state);
}
