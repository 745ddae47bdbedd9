import { html } from 'htm/preact';
import type { NodeView } from '../../api/cluster-view.ts';
import type { ObserverView } from '../../api/view.ts';
import { ago, badge, type Content, type Drawn, empty, fact, plot, section, table } from './parts.ts';
import type { Scene } from './state.ts';
import { rate, since } from './words.ts';

function healthCell({ isHealthy, abstains }: NodeView): Content {
  if (!isHealthy) return badge('silent', 'bad');
  return abstains === undefined
    ? badge('healthy', 'good')
    : html`${badge('abstains', 'doubtful')}<span class="small faint">${abstains}</span>`;
}

/** @param age - How old the figures are, milliseconds. */
function heardCell({ silentMs }: NodeView, observer: ObserverView | undefined, now: number, age: number): Content {
  if (observer?.lastSeenAt !== undefined) return ago(now, observer.lastSeenAt);
  return silentMs === undefined ? html`<span class="faint">this is it</span>` : since(silentMs + age);
}

/** Servers and agents, with who leads. */
export function nodeList({ seen, now }: Scene): Drawn | null {
  const { nodes, observers = [], cluster } = seen.frame;
  if (cluster === undefined) return null;
  if (nodes === undefined) {
    return section('nodes', 'Nodes', empty('Servers know the nodes; this process is none.', `Asked: ${cluster.node}.`));
  }
  const rows = nodes.map((node) => {
    const observer = observers.find(({ id }) => id === node.id);
    const offset = observer?.clockOffsetMs;
    return {
      key: node.id,
      isOff: !node.isHealthy,
      cells: [
        html`<b>${node.id}</b>${node.isLeader ? html` ${badge('leader', 'calm')}` : null}`,
        node.kind,
        healthCell(node),
        heardCell(node, observer, now, now - (seen.frame.at ?? now)),
        offset === undefined ? html`<span class="faint">-</span>` : `${Math.round(offset)} ms`,
        node.services.length === 0
          ? html`<span class="faint">nothing</span>`
          : html`<span class="break">${node.services.join(', ')}</span>`,
      ] as Content[],
    };
  });
  const columns = ['Node', 'Kind', 'State', 'Heard of', 'Clock ahead', 'Watches'].map((title) => ({ title }));
  return section(
    'nodes',
    'Nodes and agents',
    rows.length === 0 ? empty('Nobody is registered yet.') : table('Nodes and agents', columns, rows),
  );
}

/** How this process answers DNS. */
export function dnsPanel({ seen, now }: Scene): Drawn | null {
  const { dns, dnsHistory } = seen.frame;
  if (dns === undefined) return null;
  const old = dns.services.filter(({ silentSinceAt }) => silentSinceAt !== undefined);
  return section(
    'dns',
    'DNS',
    html`<div class="sheet dns">
      <p class="figure"><b>${rate(dns.queriesPerSecond)}</b> queries/s ${dnsHistory ? plot(dnsHistory, '', (value) => `${rate(value)}/s`) : null}</p>
      <dl class="facts">
        ${fact('Listens at', html`<span class="break">${dns.addresses.join(', ') || 'nowhere yet'}</span>`)}
        ${fact('Names', dns.names)}
        ${
          old.length === 0
            ? null
            : fact(
                'Lists that the store has not confirmed',
                old.map(
                  ({ name, silentSinceAt }) =>
                    html`<span class="small">${name}: since ${ago(now, silentSinceAt)}</span>`,
                ),
              )
        }
        ${dns.upstreams.map(({ server, isUp, answers, failures }) =>
          fact(
            `Forwards to ${server}`,
            html`${badge(isUp ? 'answers' : 'no answer', isUp ? 'good' : 'bad')} ${answers} answers, ${failures} failures in a minute`,
          ),
        )}
      </dl>
    </div>`,
  );
}
