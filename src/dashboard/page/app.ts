import { html } from 'htm/preact';
import type { Frame } from '../../api/live.ts';
import { eventList } from './events.ts';
import { dnsPanel, nodeList } from './nodes.ts';
import { overview } from './overview.ts';
import type { Drawn } from './parts.ts';
import { question } from './questions.ts';
import { serviceDetail } from './service.ts';
import { isStale, type Scene } from './state.ts';
import { header, summary, warnings } from './top.ts';
import { eventSentence } from './words.ts';

/** What a new frame tells that is worth being said aloud: the newest event, if it is a new one. */
export function newsIn(before: Partial<Frame>, after: Partial<Frame>): string | undefined {
  const newest = after.events?.[0];
  if (newest === undefined || before.events === undefined || before.events[0]?.id === newest.id) return undefined;
  return eventSentence(newest);
}

/** What the tab is called: how many services need somebody comes first. */
export function titleOf({ cluster, services = [] }: Partial<Frame>): string {
  const troubled = services.filter(({ state }) => state !== 'ok').length;
  const name = cluster === undefined ? 'hsdo' : `${cluster.name} - hsdo`;
  return troubled === 0 ? name : `(${troubled}) ${name}`;
}

/** What is shown before there is anything to show. */
function waiting({ seen, deeds }: Scene): Drawn {
  if (seen.connection === 'locked') {
    return html`<div class="empty"><p>This cluster is shown to those who have a token.</p>
      <p><button type="button" class="main" onClick=${() => deeds.open({ kind: 'token' })}>Enter a token</button></p></div>`;
  }
  if (seen.connection === 'lost') {
    return html`<div class="empty"><p>hsdo does not answer.</p><p class="faint">${seen.why ?? ''}. This page keeps trying.</p></div>`;
  }
  return html`<div class="cards" aria-busy="true"><p class="unseen">Loading</p>
    ${[1, 2, 3].map((n) => html`<div key=${n} class="card ghost" aria-hidden="true"><i></i><i></i><i></i></div>`)}</div>`;
}

/** The whole page. */
export function app(scene: Scene): Drawn {
  const { seen } = scene;
  const isEmpty = seen.frame.cluster === undefined;
  return html`<div class=${isStale(seen) && seen.connection === 'lost' ? 'all stale' : 'all'}>
    ${header(scene)}
    <main>
      ${seen.service === undefined ? html`<h1 class="unseen" id="shown" tabindex="-1">All services</h1>` : null}
      ${warnings(scene)}
      ${
        isEmpty
          ? waiting(scene)
          : seen.service === undefined
            ? [
                summary(scene),
                overview(scene),
                html`<div class="two">${nodeList(scene)}${dnsPanel(scene)}</div>`,
                eventList(scene),
              ]
            : serviceDetail(scene)
      }
    </main>
    <footer class="small faint">hsdo ${seen.frame.cluster?.version ?? ''}</footer>
    <p class="unseen" role="status" aria-live="polite">${seen.notice ?? ''}</p>
    ${seen.notice === undefined ? null : html`<p class="notice" aria-hidden="true" key=${seen.notice}>${seen.notice}</p>`}
    ${question(scene)}
  </div>`;
}
