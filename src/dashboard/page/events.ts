import { html } from 'htm/preact';
import { ago, badge, type Drawn, empty, section } from './parts.ts';
import type { Scene } from './state.ts';
import { eventSentence, toneOf } from './words.ts';

const fewEvents = 12;

/** What happened, the newest first; of one service, or of all. */
export function eventList({ seen, deeds, now }: Scene, service?: string): Drawn {
  const { events } = seen.frame;
  const title = service === undefined ? 'Events' : `Events of ${service}`;
  if (events === undefined) {
    const isServer = seen.frame.roles?.includes('server') ?? true;
    return section(
      'events',
      title,
      empty(isServer ? 'The store does not tell them now.' : 'Servers know them; this process is none.'),
    );
  }
  const wanted = events.filter((event) => service === undefined || event.service === service);
  if (wanted.length === 0) return section('events', title, empty('Nothing has happened yet.'));
  const shown = seen.showsAllEvents ? wanted : wanted.slice(0, fewEvents);
  const rest = wanted.length - shown.length;
  return section(
    'events',
    title,
    html`<ol class="events">${shown.map(
      (event) => html`<li key=${event.id}>
        ${badge(event.kind, toneOf(event))}
        <span class="what">${eventSentence(event)}${event.reason ? html`<span class="small faint">${event.reason}</span>` : null}</span>
        <span class="when small faint">${ago(now, event.at)}</span>
      </li>`,
    )}</ol>
    ${rest > 0 ? html`<button type="button" class="quiet" onClick=${deeds.showAllEvents}>Show ${rest} more</button>` : null}`,
  );
}
