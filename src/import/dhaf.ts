import { showEndpoint } from '../model/endpoint.ts';
import { importNotifiers } from './dhaf-notify.ts';
import { importService } from './dhaf-service.ts';
import type { Draft } from './draft.ts';
import { type Cursor, port, type Range, type Reading } from './reading.ts';

const seconds: Range = { min: 1, max: 3600, isWhole: true };
const isLoopback = (host: string) => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/** Makes a configuration of ours of dhaf's: the same votes, the same switch, and dhaf's own defaults. */
export function importDhaf({ root, faults }: Reading, draft: Draft): void {
  const dhaf = root.at('dhaf');
  const services = root.at('services').items();
  if (services.length === 0 && faults.length === 0) root.at('services').fault('expected at least one service');
  const tact = dhaf.at('tact-interval');
  const delay = dhaf.at('tact-post-switch-delay');
  const common = {
    interval: tact.number(seconds) ?? 10,
    tact,
    delaySeconds: delay.number({ min: 0, max: 3600 }),
    delay,
  };
  for (const [n, service] of services.entries()) importService(service, { draft, n, ...common });
  draft.differs(tact, 'a check starts every tact-interval; dhaf counts from the end of the one before');
  if (root.at('notifiers').isThere) importNotifiers(root.at('notifiers').items(), draft);
  importStore(root.at('etcd'), draft);
  importCluster(dhaf, root, draft);
  importApi(dhaf.at('web-api'), draft);
}

function importStore(etcd: Cursor, draft: Draft): void {
  draft.put(['store', 'kind'], 'etcd', etcd);
  const hosts = etcd.at('hosts');
  const all = hosts.needText('the members of etcd, such as 10.0.0.1:2379,10.0.0.2:2379').split(',');
  draft.put(
    ['store', 'endpoints'],
    all.map((one) => one.trim().replace(/\/+$/, '')),
    hosts,
  );
  if (etcd.at('username').isThere) draft.put(['store', 'username'], etcd.at('username').text(), etcd.at('username'));
  if (etcd.at('password').isThere) draft.secret(['store', 'password'], 'ETCD_PASSWORD', etcd.at('password'));
  draft.differs(
    etcd,
    'hsdo keeps its own keys below hsdo/ and leaves those of dhaf alone: both may be there, but only one of them may switch',
  );
}

function importCluster(dhaf: Cursor, root: Cursor, draft: Draft): void {
  const [cluster, node] = [dhaf.at('cluster-name'), dhaf.at('node-name')];
  draft.put(['cluster', 'name'], cluster.needText('the name of the cluster'), cluster);
  draft.put(['cluster', 'nodeId'], node.needText('the name of this node'), node);
  draft.note(
    ['cluster', 'nodeId'],
    'Another one on each machine; NODE_ID in the environment says it, too, and then this file may be the same everywhere.',
  );
  const lease = root.at('etcd').at('leader-key-ttl');
  for (const [key, from, usual] of [
    ['heartbeatSeconds', dhaf.at('heartbeat-interval'), 5],
    ['nodeTtlSeconds', dhaf.at('healthy-node-status-ttl'), 30],
  ] as const) {
    draft.put(['cluster', key], from.number({ min: 1, max: 3600 }) ?? usual, from);
  }
  if (lease.isThere) draft.put(['cluster', 'leaseTtlSeconds'], lease.number({ min: 1, max: 3600 }), lease);
  const fetching = dhaf.at('fetch-dhaf-node-statuses-interval');
  if (fetching.isThere) draft.left(fetching, 'etcd tells hsdo of every change; there is nothing to set');
}

function importApi(api: Cursor, draft: Draft): void {
  if (!api.isThere) return;
  const written = api.at('host').text() ?? 'localhost';
  const host = /^[*+]$/.test(written) ? '0.0.0.0' : written;
  draft.put(['api', 'listen'], showEndpoint(host, api.at('port').number(port) ?? 8128), api);
  if (isLoopback(host)) return;
  const name = draft.newSecret(['api', 'token'], 'API_TOKEN', api);
  draft.left(
    api,
    `whoever reaches this address could switch; choose a token, set ${name} to it, and HSDO_API_TOKEN where you run commands`,
    true,
  );
}
