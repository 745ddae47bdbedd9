import { html } from 'htm/preact';
import type { ServiceDetail } from '../../api/view.ts';
import { eventList } from './events.ts';
import { healthBar, switchTag, tagsOf } from './overview.ts';
import { ago, badge, type Content, type Drawn, empty, fact, section, table } from './parts.ts';
import { slotGrid } from './slots.ts';
import type { Scene } from './state.ts';
import { lasting, stateWords } from './words.ts';

/** What may be done with a service as a whole. */
function buttons(service: ServiceDetail, { seen, deeds }: Scene): Drawn | null {
  if (!seen.mayChange) return null;
  const { name, switchover, hold } = service;
  const path = `services/${encodeURIComponent(name)}`;
  const purge = () =>
    deeds.open({
      kind: 'confirm',
      title: `Purge the switchover of ${name}?`,
      text: `${switchover?.targetName ?? 'Its target'} is no longer held as the active one: ${name} goes by its own rules again.`,
      verb: 'Purge',
      wish: { method: 'DELETE', path: `${path}/switchover` },
    });
  const release = (token: string, targets: readonly string[]) => () =>
    deeds.open({
      kind: 'confirm',
      title: `Let ${targets.length} targets of ${name} go?`,
      text: `The sources no longer report ${targets.join(', ')}. They leave the list and get no new traffic.`,
      verb: 'Release the hold',
      wish: { method: 'POST', path: `${path}/hold/release`, body: { token } },
    });
  return html`<div class="buttons">
    ${service.active === undefined ? null : html`<button type="button" onClick=${() => deeds.openSwitchover(name)}>Switch over</button>`}
    ${switchover && switchover.ended === undefined ? html`<button type="button" onClick=${purge}>Purge the switchover</button>` : null}
    ${hold ? html`<button type="button" onClick=${release(hold.token, hold.targets)}>Release the hold</button>` : null}
  </div>`;
}

function facts(service: ServiceDetail, now: number): Drawn {
  const { switchover, sources, domains } = service;
  const entry = service.switch;
  return html`<dl class="facts">
    ${fact('Check', service.check ?? 'none')}
    ${fact('Votes', service.policy)}
    ${fact('Selection', service.selection)}
    ${fact('When all are down', service.whenAllDown)}
    ${fact('Slots', `${service.taken + service.draining} of ${service.size}`)}
    ${fact('List', html`revision ${service.revision}, epoch ${service.epoch}${service.publishedAt ? html`, ${ago(now, service.publishedAt)}` : null}`)}
    ${
      service.active === undefined
        ? null
        : fact(
            'Points at',
            html`<b>${service.activeName ?? service.active}</b> for ${lasting(now - (service.activeSinceAt ?? now))}`,
          )
    }
    ${
      switchover === undefined
        ? null
        : fact(
            'Switchover',
            html`to ${switchover.targetName} by ${switchover.by}, ${ago(now, switchover.at)}${switchover.ended ? ` (ended: ${switchover.ended})` : ''}`,
          )
    }
    ${entry === undefined ? null : fact('Entry point', html`${switchTag(entry)} at ${entry.current ?? 'nothing'}${entry.lastError ? html`<span class="small bad">${entry.lastError}</span>` : null}`)}
    ${domains === undefined ? null : fact('Names in DNS', html`<span class="break">${domains.join(', ')}</span>`)}
    ${sources.map((source) =>
      fact(
        `Source ${source.label}`,
        html`${source.targets} targets, read ${ago(now, source.lastSuccessAt)}${source.lastError ? html`<span class="small bad">${source.lastError}</span>` : null}`,
      ),
    )}
  </dl>`;
}

function clients({ clients: reports, revision }: ServiceDetail, now: number): Drawn {
  if (reports.length === 0)
    return empty('No client has reported.', 'A process with --client keeps the HAProxy beside it and says so here.');
  const rows = reports.flatMap((report) =>
    report.sockets.map((socket) => ({
      key: `${report.client} ${socket.socket}`,
      isOff: !socket.isUp,
      cells: [
        report.client,
        html`<span class="break">${socket.socket}</span>`,
        socket.isUp
          ? badge('answers', 'good')
          : html`${badge('no answer', 'bad')}<span class="small bad">${socket.error ?? ''}</span>`,
        report.revision === revision ? `${revision}` : `${report.revision} of ${revision}`,
        socket.drift === 0 ? 'none' : html`<b>${socket.drift}</b> cells`,
        ago(now, report.at),
      ] as Content[],
    })),
  );
  const columns = ['Client', 'Socket', 'HAProxy', 'Revision', 'Differences', 'Reported'].map((title) => ({ title }));
  return table('Clients and their HAProxies', columns, rows);
}

/** One service in full. */
export function serviceDetail(scene: Scene): Drawn {
  const { seen, now } = scene;
  const { service } = seen.frame;
  const back = html`<p class="back"><a href="#/">← All services</a></p>`;
  if (service?.name !== seen.service) {
    const isKnown = seen.frame.services?.some(({ name }) => name === seen.service) ?? true;
    const nothing = isKnown
      ? html`<p class="loading">Loading ${seen.service}</p>`
      : empty(`No service is called ${seen.service}.`, 'It may have left the configuration.');
    return html`<div>${back}${nothing}</div>`;
  }
  if (service === undefined) return html`<div>${back}</div>`;
  const [word, tone] = stateWords[service.state];
  const tags = tagsOf(service, now);
  return html`<div>
    ${back}
    <div class="title"><h1 tabindex="-1" id="shown">${service.name}</h1>${badge(word, tone)}${buttons(service, scene)}</div>
    ${tags.length === 0 ? null : html`<div class="tags">${tags}</div>`}
    <div class="sheet">${healthBar(service)}${facts(service, now)}</div>
    ${section('slots', 'Slots', slotGrid(service, scene))}
    ${section('clients', 'Clients', clients(service, now))}
    ${eventList(scene, service.name)}
  </div>`;
}
