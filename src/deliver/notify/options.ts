import { z } from 'zod';
import { eventKinds } from '../../model/event.ts';
import { secret } from '../../model/secret.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../time/clock.ts';
import type { Keep } from './notifier.ts';

/** What a process gives to each of its notifiers. */
export interface NotifierContext {
  /** The name of this very notifier. */
  readonly name: string;
  readonly keep: Keep;
  readonly clock: Clock;
  readonly log: Log;
  /** What relative paths start from; default is the working directory. */
  readonly baseFolder?: string;
}

/** The name of a notifier; it ends up in keys and metrics. */
export const notifierName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -');

/** Options that every kind of notifier has, beside its name. */
export const commonOptions = {
  /** Tells of these services alone, and of the cluster; without it, of all. */
  services: z.array(z.string()).min(1).optional(),
  /** Tells of these events alone. */
  kinds: z.array(z.enum(eventKinds)).min(1).optional(),
  /** What happens to one service within this time is told together. */
  groupSeconds: z.number().min(0).max(3600).default(5),
  /** Notices in any hour; what is above that is told together later. */
  maxPerHour: z.int().min(1).max(1000).default(60),
  /** How often it is said again that a service is down; 0: never. */
  remindMinutes: z.number().min(0).max(10_080).default(0),
  maxReminders: z.int().min(1).max(1000).default(3),
  /** The longest that one attempt may take. */
  timeoutSeconds: z.number().min(0.1).max(600).default(30),
};

/** A secret of at least `min` characters on one line. */
export const secretText = (min: number) =>
  z
    .string()
    .min(min, min === 1 ? 'expected a secret' : `expected at least ${min} characters`)
    .max(4096)
    .refine((text) => !/\p{Cc}/u.test(text), 'expected text on one line')
    .transform(secret);

/** A URL of HTTP without a login in it; the longest that anybody takes. */
export const httpUrl = z
  .string()
  .max(2048)
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, username, password } = new URL(text);
    return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
  }, 'expected a URL with http or https, and without a login');

/** One that is a secret as a whole, since it is all that a sender needs. */
export const secretUrl = httpUrl.transform(secret);
