import { z } from 'zod';
import type { Clock } from '../../time/clock.ts';

/** What a process gives to each of its switchers. One object serves one service, for one term of a leader. */
export interface SwitcherContext {
  readonly service: string;
  /** The domain that the service is known by. */
  readonly domain?: string | undefined;
  readonly clock: Clock;
  /** What relative paths start from; default is the working directory. */
  readonly baseFolder?: string;
}

const seconds = (min: number, max: number) => z.number().min(min).max(max);

/** Options that every kind of switcher has. */
export const commonOptions = {
  /** How often the outside is read back while it says what it should. */
  reconcileSeconds: seconds(0.1, 86_400).default(5),
  /** After a switch the next automatic one to another target waits for so long. */
  delaySeconds: seconds(0, 86_400).default(0),
  /** The longest that one read or one switch may take. */
  timeoutSeconds: seconds(0.05, 600).default(10),
};

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True for https, and for http that does not leave this machine: what goes there carries the right to switch. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  if (username !== '' || password !== '' || search !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && loopbackHost.test(hostname));
}

/** Where an interface for programs begins; without a slash at its end. */
export const baseUrlOption = (usual: string) =>
  z
    .string()
    .refine(
      isSafeUrl,
      'expected https://HOST/PATH, or http:// to a loopback address: on the way elsewhere the token could be read',
    )
    .overwrite((text) => text.replace(/\/+$/, ''))
    .default(usual);
