import type { Config, ServiceConfig } from '../config/schema.ts';
import { pointsAt } from '../deliver/switch/reconcile.ts';
import { createSwitcher, type SwitcherConfig } from '../deliver/switch/switchers.ts';
import { accept } from '../discover/accept.ts';
import { createSource } from '../discover/sources.ts';
import type { Target } from '../model/target.ts';
import type { Clock } from '../time/clock.ts';
import { type Examination, type Finding, ok, warning } from './finding.ts';
import { lateRemedy, pluggedIn, verifiedFinding } from './plug-ins.ts';

const remedies: Readonly<Record<SwitcherConfig['kind'], string>> = {
  cloudflare:
    'give a token with the permission "Zone.DNS: Edit" for the zone in switch.apiToken, and correct switch.zone and switch.record',
  exec: 'correct the path, make the file executable for the user of hsdo (chmod +x), and try it by hand',
  'google-cloud':
    'name a key file in switch.credentialsPath, or give this machine a service account with compute.projects.get and compute.projects.setCommonInstanceMetadata',
  module: 'correct the file that switch.path names: its `current` has to answer',
};
const trust = 'name the authority that signed the certificate in NODE_EXTRA_CA_CERTS, or correct switch.baseUrl';

interface World {
  readonly aws: Config['aws'];
  readonly clock: Clock;
}

/** What is switched, read as a leader reads it: whether it answers, and points at a target. Nothing is switched. */
export function switchExaminations({ services, aws }: Config, clock: Clock): readonly Examination[] {
  return services.flatMap((service): readonly Examination[] => {
    const { name, switch: config } = service;
    if (config === undefined) return [];
    const mayBeSlow = config.kind === 'exec' || config.kind === 'module';
    const late = mayBeSlow ? 'try it by hand: what does not end in time is ended' : lateRemedy;
    const about = `switch ${config.kind} of ${name}`;
    const ask = (tell: Tell, signal: AbortSignal) => askSwitcher(tell, about, service, config, { aws, clock }, signal);
    return [pluggedIn({ about, config, remedy: remedies[config.kind], trust, late, mayBeSlow }, clock, ask)];
  });
}

type Tell = (finding: Finding) => void;

async function askSwitcher(
  tell: Tell,
  about: string,
  service: ServiceConfig,
  config: SwitcherConfig,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const { name, domain } = service;
  const switcher = createSwitcher(config, { service: name, domain, clock: world.clock });
  const verified = await switcher.verify?.(signal);
  if (verified !== undefined) tell(verifiedFinding(about, verified));
  if (!tellsItsPlace(config)) return;
  const [current, targets] = [await switcher.current(signal), await targetsOf(service, world, signal)];
  tell(pointFinding(about, current, name, targets));
}

/** An executable that only switches knows of no place. */
const tellsItsPlace = (config: SwitcherConfig) =>
  config.kind !== 'exec' || config.init !== undefined || config.current !== undefined;

/** What the sources say; `undefined` where one of them cannot be asked, which is said elsewhere. */
async function targetsOf(
  { source }: ServiceConfig,
  world: World,
  signal: AbortSignal,
): Promise<readonly Target[] | undefined> {
  try {
    const seen = await Promise.all(source.map((one) => createSource(one, world).discover(signal)));
    return accept(seen.flat()).targets;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** What it means that the outside points there. */
export function pointFinding(
  about: string,
  current: string | undefined,
  service: string,
  targets: readonly Target[] | undefined,
): Finding {
  if (current === undefined) {
    const remedy = 'a server that leads makes it with its first switch; if it is there already, correct its name';
    return warning(about, 'answers, and points at nothing yet', remedy);
  }
  if (targets === undefined)
    return ok(about, `points at ${current}; whether that is a target, the sources do not tell`);
  const target = targets.find((one) => pointsAt(current, one));
  if (target) return ok(about, `points at ${target.name} (${target.address})`);
  const says = `says "${current}", which is neither name nor address of one of the ${targets.length} targets of ${service}`;
  return warning(
    about,
    says,
    'a server that leads switches it to the active target; stop it first if that is not wanted',
  );
}
