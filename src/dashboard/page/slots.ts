import { html } from 'htm/preact';
import type { ServiceDetail, TargetView } from '../../api/view.ts';
import { showEndpoint } from '../../model/endpoint.ts';
import type { Slot } from '../../model/slot.ts';
import { badge, type Column, type Content, type Drawn, empty, plot, table } from './parts.ts';
import type { Scene } from './state.ts';
import { lasting, spans, type Tone, taking } from './words.ts';

/** A list is delivered and reported back in moments; while weights rise, one follows the other. */
const catchUpMs = 5000;
/** Longer addresses are broken. */
const longAddress = 22;
/** More observers than this are counted, and named on demand. */
const mostNamed = 4;

const outWords = { down: 'takes no traffic while down', new: 'was never up yet', standby: 'stands by' } as const;

/** The share of new traffic as a bar, and where its ramp stands. */
function weightCell({ fullWeight }: ServiceDetail, target: TargetView, slot: Slot | undefined): Content {
  const { servingWeight } = target;
  const ramp = slot?.state === 'taken' ? slot.weight : servingWeight;
  const share = Math.min(100, Math.round((ramp / fullWeight) * 100));
  const why = target.out === undefined ? '' : outWords[target.out];
  const word = servingWeight === 0 ? why || 'no new traffic' : share < 100 ? `ramp at ${share} %` : 'full';
  return html`<svg class="bar weight" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class=${servingWeight === 0 ? 'fill-calm' : 'fill-main'} width=${share} height="6" />
    </svg><span class="small"><b>${servingWeight}</b> ${word}</span>`;
}

function verdictCell({ health, state }: TargetView, now: number): Content {
  if (state === 'draining') return badge('draining', 'calm');
  if (health === undefined) return html`<span class="faint">not checked</span>`;
  const tones: Readonly<Record<string, Tone>> = { up: 'good', down: 'bad', undecided: 'doubtful' };
  const code = health.code === 'ok' ? '' : `${health.code}, `;
  return [
    badge(health.isInDoubt ? `${health.verdict}, in doubt` : health.verdict, tones[health.verdict] ?? 'calm'),
    html`<span class="small faint">${code}for ${lasting(now - health.sinceAt)}</span>`,
  ];
}

/** What each observer says, with those that say nothing. */
function observersCell(service: ServiceDetail, { votes, statistics }: TargetView, asked: string | undefined): Content {
  if (service.check === undefined) return html`<span class="faint">-</span>`;
  const said = service.observers.map(({ id, isFresh, abstains }) => {
    const vote = votes.find(({ observer }) => observer === id);
    const silence = abstains === undefined ? (isFresh ? 'no vote yet' : 'silent') : `abstains: ${abstains}`;
    const times = vote?.health === 'up' && vote.totalMs !== undefined ? ` ${taking(vote.totalMs)}` : '';
    const word = vote === undefined ? silence : vote.health === 'up' ? `up${times}` : `down (${vote.code})`;
    const tone: Tone = vote === undefined ? 'calm' : vote.health === 'up' ? 'good' : 'bad';
    return { id, tone, word };
  });
  const one = ({ id, tone, word }: (typeof said)[number]) =>
    html`<li key=${id} class="text-${tone}" title=${id === asked ? (statistics?.lastMessage ?? '') : ''}><b>${id}</b> ${word}</li>`;
  if (said.length === 0) return html`<span class="faint">nobody votes</span>`;
  if (said.length <= mostNamed) return html`<ul class="votes">${said.map(one)}</ul>`;
  const count = (tone: Tone) => said.filter((vote) => vote.tone === tone).length;
  const sum = `${count('good')} up, ${count('bad')} down, ${count('calm')} silent`;
  return html`<details><summary>${sum}</summary><ul class="votes">${said.map(one)}</ul></details>`;
}

/** How every client's HAProxy has this slot. */
function haproxyCell(
  { clients, revision, publishedAt = 0 }: ServiceDetail,
  { slot }: TargetView,
  now: number,
): Content {
  if (clients.length === 0) return html`<span class="faint">no client reports</span>`;
  return html`<ul class="votes">${clients.flatMap((report) =>
    report.sockets.map((socket) => {
      const held = socket.manual.find((one) => one.slot === slot);
      const isMissing = socket.missing.some(({ slots }) => slots.includes(slot));
      const [word, tone]: [string, Tone] = !socket.isUp
        ? ['no answer', 'bad']
        : isMissing
          ? ['has no such server', 'bad']
          : held
            ? [`${held.state} by hand`, 'doubtful']
            : report.revision < revision
              ? now - publishedAt > catchUpMs
                ? [`behind, at revision ${report.revision}`, 'doubtful']
                : ['catching up', 'calm']
              : socket.drift > 0
                ? ['is being put right', 'doubtful']
                : ['as wanted', 'good'];
      return html`<li key="${report.client} ${socket.socket}" class="text-${tone}" title=${socket.error ?? socket.socket}><b>${report.client}</b> ${word}</li>`;
    }),
  )}</ul>`;
}

function overrideCell(service: ServiceDetail, target: TargetView, { seen, deeds }: Scene): Content {
  const { override, id, name } = target;
  const asked = service.overrides.find(({ targetId }) => targetId === id);
  const state = override ?? asked?.state;
  const open = () =>
    deeds.open({ kind: 'target', service: service.name, id, name, ...(state === undefined ? {} : { held: state }) });
  return [
    state === undefined
      ? seen.mayChange
        ? null
        : html`<span class="faint">none</span>`
      : badge(asked ? `${state} by ${asked.by}` : state, 'doubtful'),
    seen.mayChange
      ? html`<button type="button" class="quiet" onClick=${open}>Change<span class="unseen"> the override of ${name}</span></button>`
      : null,
  ];
}

const columns: readonly Column[] = [
  { title: 'Slot' },
  { title: 'Target' },
  { title: 'Group' },
  { title: 'Weight' },
  { title: 'Verdict' },
  { title: 'Observers' },
  { title: 'HAProxy' },
  { title: 'Last 15 minutes' },
  { title: 'Override' },
];

/** The list of slots with everything that is known of each. */
export function slotGrid(service: ServiceDetail, scene: Scene): Drawn {
  const { slots = [], history } = scene.seen.frame;
  const free = slots.flatMap(({ state, index }) => (state === 'free' ? [index] : []));
  if (service.targets.length === 0) {
    return empty('No slot is taken.', 'As soon as a source reports a target, it stands here.');
  }
  const rows = service.targets.map((target) => {
    const slot = slots.find(({ index }) => index === target.slot);
    const past = history?.targets.find(({ id }) => id === target.id);
    const place = showEndpoint(target.address, target.port);
    const isActive = service.active === target.id;
    return {
      key: target.id,
      isOff: target.servingWeight === 0,
      cells: [
        target.slot,
        html`<b>${target.name}</b>${isActive ? html` ${badge('active', 'good')}` : null}<span class="small faint ${place.length > longAddress ? 'break' : 'whole'}">${place}</span>`,
        target.group,
        weightCell(service, target, slot),
        verdictCell(target, scene.now),
        observersCell(service, target, scene.seen.frame.cluster?.node),
        haproxyCell(service, target, scene.now),
        past === undefined
          ? html`<span class="faint">not checked from here</span>`
          : plot(past.totalMs, past.health, taking),
        overrideCell(service, target, scene),
      ] as Content[],
    };
  });
  return html`<div class="wide">${table(`Slots of ${service.name}`, columns, rows)}
    <p class="faint small">${free.length === 0 ? 'No slot is free.' : `Free: ${spans(free)}.`}</p></div>`;
}
