import { html } from 'htm/preact';
import type { ServiceView } from '../../api/view.ts';
import { ago, badge, type Content, type Drawn, empty, section } from './parts.ts';
import type { Scene } from './state.ts';
import { counted, lasting, stateWords, type Tone } from './words.ts';

/** Services that need somebody come first, the rest by name. */
const urgency: readonly ServiceView['state'][] = ['panic', 'unknown', 'no-quorum', 'holding', 'unpublished', 'ok'];

/** The address of one service in full, as `restart` in main.ts reads it. */
const linkTo = (service: string): string => `#/service/${encodeURIComponent(service)}`;

/** How many are up, down and undecided, as a bar and in words. */
export function healthBar({ state, verdicts, taken, draining }: ServiceView): Drawn {
  if (state === 'unknown') return html`<div class="health"><p>the store does not tell</p></div>`;
  if (verdicts === undefined) {
    const draw = taken + draining === 0 ? 'no targets' : `${counted(taken, 'target')}, not checked`;
    return html`<div class="health"><p>${draw}</p></div>`;
  }
  const { up, down, undecided } = verdicts;
  const parts: [number, string, Tone][] = [
    [up, 'up', 'good'],
    [undecided, 'undecided', 'doubtful'],
    [down, 'down', 'bad'],
  ];
  const known = parts.filter(([count]) => count > 0);
  return html`<div class="health">
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      ${known.map(([count, , tone], index) => {
        const before = known.slice(0, index).reduce((sum, [one]) => sum + one, 0);
        const total = up + down + undecided;
        return html`<rect class="fill-${tone}" x=${(before / total) * 100} width=${(count / total) * 100} height="6" />`;
      })}
    </svg>
    <p>${known.map(([count, word, tone], index) => html`${index > 0 ? ' · ' : ''}<span class="text-${tone}">${count} ${word}</span>`)}</p>
  </div>`;
}

/** What is out of the ordinary with a service, each with its age. */
export function tagsOf(service: ServiceView, now: number): Drawn[] {
  const { panic, hold, switchover, maintenanceUntilAt, inDoubt = [], unplaced, overrides, clients, draining } = service;
  const tags: (Drawn | false | undefined)[] = [
    panic && badge(`panic for ${lasting(now - panic.sinceAt)}, serves ${panic.serves}`, 'bad'),
    hold && badge(`holds the removal of ${counted(hold.targets.length, 'target')}`, 'doubtful'),
    maintenanceUntilAt !== undefined && badge(`maintenance for ${lasting(maintenanceUntilAt - now)} more`, 'calm'),
    switchover && switchover.ended === undefined && badge(`switchover by ${switchover.by}`, 'calm'),
    service.switch && switchTag(service.switch),
    inDoubt.length > 0 && badge(`${counted(inDoubt.length, 'target')} in doubt`, 'doubtful'),
    unplaced.length > 0 && badge(`no slot for ${counted(unplaced.length, 'target')}`, 'bad'),
    draining > 0 && badge(`${draining} draining`, 'calm'),
    overrides.length > 0 && badge(counted(overrides.length, 'override'), 'calm'),
    clients.some(({ sockets }) => sockets.some(({ isUp }) => !isUp)) && badge('a HAProxy does not answer', 'bad'),
    service.sources.some(({ failures }) => failures > 0) && badge('a source fails', 'doubtful'),
  ];
  return tags.flatMap((tag) => (tag ? [tag] : []));
}

/** How the entry point stands. */
export function switchTag({ kind, agrees, lastError }: NonNullable<ServiceView['switch']>): Drawn {
  if (lastError !== undefined) return badge(`${kind} fails`, 'bad');
  if (agrees === undefined) return badge(`${kind} not read yet`, 'calm');
  return agrees ? badge(`${kind} agrees`, 'good') : badge(`${kind} points elsewhere`, 'doubtful');
}

function card(service: ServiceView, scene: Scene): Drawn {
  const { now } = scene;
  const [word, tone] = stateWords[service.state];
  const lines: Content[] = [
    service.active === undefined
      ? null
      : html`<p class="active"><span class="faint">points at</span> <b>${service.activeName ?? service.active}</b> <span class="faint">for ${lasting(now - (service.activeSinceAt ?? now))}</span></p>`,
  ];
  const tags = tagsOf(service, now);
  return html`<li key=${service.name} class="card edge-${tone}">
    <div class="card-head"><h3><a href=${linkTo(service.name)}>${service.name}</a></h3>${badge(word, tone)}</div>
    ${healthBar(service)}
    ${lines}
    <p class="faint small">${service.taken + service.draining} of ${service.size} slots taken · revision ${service.revision}${
      service.publishedAt === undefined ? '' : html`, ${ago(now, service.publishedAt)}`
    }</p>
    ${tags.length === 0 ? null : html`<div class="tags">${tags}</div>`}
  </li>`;
}

/** All services at a glance. */
export function overview(scene: Scene): Drawn {
  const { services } = scene.seen.frame;
  if (services === undefined) return html`<div></div>`;
  const [problem] = scene.seen.frame.cluster?.problems ?? [];
  if (services.length === 0 && problem !== undefined) {
    return section(
      'services',
      'Services',
      empty('No service can be shown yet.', `${problem.part}: ${problem.message}`),
    );
  }
  if (services.length === 0) {
    return section(
      'services',
      'Services',
      empty('No service is configured here.', 'Add one under "services" and start hsdo anew.'),
    );
  }
  const sorted = [...services].sort(
    (one, other) => urgency.indexOf(one.state) - urgency.indexOf(other.state) || one.name.localeCompare(other.name),
  );
  return section('services', 'Services', html`<ul class="cards">${sorted.map((one) => card(one, scene))}</ul>`);
}
