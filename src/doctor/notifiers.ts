import type { Config } from '../config/schema.ts';
import type { Keep } from '../deliver/notify/notifier.ts';
import { createNotifier, type NotifierConfig } from '../deliver/notify/notifiers.ts';
import { reasonOf } from '../http/http-call.ts';
import { reach } from '../http/reach.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import { type Examination, ok } from './finding.ts';
import { lateRemedy, pluggedIn, verifiedFinding } from './plug-ins.ts';

const remedies: Readonly<Record<NotifierConfig['kind'], string>> = {
  email: 'correct server, port, security, username and password of smtp; the words are those of the mail server',
  module: 'correct the file that its path names',
  telegram: 'give the token that @BotFather shows for this bot, and correct baseUrl if it is set',
  webhook: 'correct its url, or let connections from here to it through',
};
const extraTrust =
  'let the certificate be renewed, or name the authority that signed it in NODE_EXTRA_CA_CERTS of hsdo';
const mailTrust =
  'let the certificate be renewed, name the server as its certificate does, or its authority in smtp.ca';

/** Nothing is remembered by looking. */
const noKeep: Keep = {
  list: async () => [],
  put: () => Promise.reject(new TypeError('the doctor keeps nothing')),
  delete: () => Promise.reject(new TypeError('the doctor keeps nothing')),
};
const noLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Everybody who is told things, as far as that goes without telling anything; and who is pinged, without a ping. */
export function notifyExaminations({ notify, heartbeatPing }: Config, clock: Clock): readonly Examination[] {
  return [
    ...notify.flatMap((config) => notifierExaminations(config, clock)),
    ...pingExaminations(heartbeatPing, clock),
  ];
}

function notifierExaminations(config: NotifierConfig, clock: Clock): readonly Examination[] {
  const { kind, name } = config;
  const { verify } = createNotifier(config, { name, keep: noKeep, clock, log: noLog });
  if (verify === undefined) return [];
  const trust = kind === 'email' ? mailTrust : extraTrust;
  const about = `notifier ${name} (${kind})`;
  return [
    pluggedIn(
      { about, config, remedy: remedies[kind], trust, late: lateRemedy, mayBeSlow: kind === 'email' },
      clock,
      async (tell, signal) => tell(verifiedFinding(about, await verify(signal))),
    ),
  ];
}

function pingExaminations(config: Config['heartbeatPing'], clock: Clock): readonly Examination[] {
  if (config === undefined) return [];
  const about = 'heartbeat ping';
  const plugIn = {
    about,
    config,
    remedy: 'correct heartbeatPing.url',
    trust: extraTrust,
    late: lateRemedy,
    mayBeSlow: false,
  };
  return [
    pluggedIn(plugIn, clock, async (tell, signal) => {
      await reach(config.url.reveal(), signal).catch((error: unknown) => {
        throw new Error(`Cannot reach its host: ${reasonOf(error)}`);
      });
      tell(ok(about, 'its host can be reached; nothing was asked there'));
    }),
  ];
}
