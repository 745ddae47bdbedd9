import { html } from 'htm/preact';
import { ago, badge, type Drawn, fact } from './parts.ts';
import { storedToken } from './session.ts';
import { isStale, type Scene } from './state.ts';
import { counted, lasting, rate, since, type Tone } from './words.ts';

/** How the page is connected, as a word and a tone. */
function connectionOf({ seen, now }: Scene): readonly [string, Tone] {
  const { connection, frame } = seen;
  if (connection === 'live') return ['live', 'good'];
  if (connection === 'polling') return ['asking every 2 s', 'good'];
  if (connection === 'locked') return ['needs a token', 'doubtful'];
  if (frame.at === undefined)
    return [connection === 'lost' ? 'not reachable' : 'connecting', connection === 'lost' ? 'bad' : 'calm'];
  if (connection === 'connecting') return ['connecting', 'calm'];
  return [`disconnected, last seen ${lasting(now - frame.at)} ago`, 'bad'];
}

/** What stands above every page: where it is, how it is connected, and its token. */
export function header(scene: Scene): Drawn {
  const { seen, deeds } = scene;
  const [text, tone] = connectionOf(scene);
  const token = storedToken();
  return html`<header class="top">
    <a class="brand" href="#/" aria-label="hsdo, all services"><svg viewBox="0 0 32 32" aria-hidden="true">
        <rect class="tile" width="32" height="32" rx="7" /><rect x="6" y="8" width="20" height="4" rx="2" /><rect x="6" y="14" width="20" height="4" rx="2" opacity=".55" /><rect x="6" y="20" width="13" height="4" rx="2" /><circle cx="24" cy="22" r="2.6" />
      </svg><span>hsdo</span></a>
    <span class="cluster">${seen.frame.cluster?.name ?? ''}</span>
    <span class="connection">${badge(text, tone)}</span>
    ${
      token === undefined
        ? seen.connection === 'locked'
          ? html`<button type="button" class="quiet" onClick=${() => deeds.open({ kind: 'token' })}>Enter a token</button>`
          : null
        : html`<button type="button" class="quiet" onClick=${() => deeds.useToken(undefined)}>Forget the token</button>`
    }
  </header>`;
}

/** The cluster in a line of figures. */
export function summary({ seen, now }: Scene): Drawn | null {
  const { cluster, lease, nodes, services, dns, events } = seen.frame;
  if (cluster === undefined) return null;
  const leader = cluster.leader ?? lease?.holder;
  const heard = nodes?.find(({ isLeader }) => isLeader)?.silentMs;
  const electedAt = events?.find(({ kind, node }) => kind === 'new-leader' && node === leader)?.at;
  const healthy = nodes?.filter(({ isHealthy }) => isHealthy).length ?? 0;
  const fine = services?.filter(({ state }) => state === 'ok').length ?? 0;
  const { store } = cluster;
  const takesPart = lease !== undefined;
  return html`<dl class="summary">
    ${fact('Services', html`<b>${fine}</b> of ${services?.length ?? 0} ok`)}
    ${
      takesPart
        ? fact('Leader', [
            html`<b class=${leader ? '' : 'bad'}>${leader ?? 'nobody'}</b>`,
            html`<small>epoch ${cluster.epoch}${electedAt === undefined ? '' : html`, elected ${ago(now, electedAt)}`}${
              heard === undefined ? '' : `, heard of ${since(heard + now - (seen.frame.at ?? now))}`
            }</small>`,
          ])
        : null
    }
    ${nodes ? fact('Nodes', [html`<b>${healthy}</b> of ${nodes.length} healthy`, html`<small>asked: ${cluster.node}</small>`]) : fact('Node', html`<b>${cluster.node}</b>`)}
    ${fact('Store', [
      html`<b class=${store.lastError === undefined ? '' : 'bad'}>${store.kind}</b>`,
      html`<small>answered ${ago(now, store.lastSuccessAt)}</small>`,
    ])}
    ${dns ? fact('DNS', [html`<b>${rate(dns.queriesPerSecond)}</b> queries/s`, html`<small>${counted(dns.names, 'name')}</small>`]) : null}
  </dl>`;
}

/** What keeps the cluster from doing its work, and what the page itself cannot do. */
export function warnings({ seen, now }: Scene): Drawn | null {
  const { problems = [] } = seen.frame.cluster ?? {};
  const stale = isStale(seen) && seen.connection === 'lost';
  if (!stale && problems.length === 0) return null;
  return html`<div class="warnings">
    ${
      stale
        ? html`<p class="warning lost"><strong>Disconnected.</strong> What you see is ${lasting(now - (seen.frame.at ?? now))} old; this page keeps trying. ${seen.why ? html`<span class="faint">${seen.why}</span>` : null}</p>`
        : null
    }
    ${problems.map(({ part, message }) => html`<p class="warning" key="${part} ${message}"><strong>${part}:</strong> ${message}</p>`)}
  </div>`;
}
