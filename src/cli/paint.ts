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

/** The colour of each state of a service. */
export const stateColors = ({ green, yellow, red, dim }: ReturnType<typeof paints>) =>
  ({
    ok: green,
    holding: yellow,
    'no-quorum': yellow,
    panic: red,
    unpublished: dim,
    unknown: yellow,
  }) satisfies Readonly<Record<ServiceState, (text: string) => string>>;

/** The state of a service in its colour, for standard output. */
export const paintState = (state: ServiceState): string => stateColors(paints(process.stdout))[state](state);
