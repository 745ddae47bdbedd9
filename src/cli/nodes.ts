import type { Command } from 'commander';
import type { ClusterView, NodeView } from '../api/cluster-view.ts';
import { type ApiOptions, askApi } from './api-client.ts';
import { print, type ShowOptions } from './show.ts';
import { ago, showTable } from './table.ts';

/** `hsdo nodes` and `hsdo decommission`: who belongs to the cluster, and who does not any more. */
export function addNodes(program: Command): void {
  program
    .command('nodes')
    .description('show the servers and agents of the cluster, and who leads')
    .option('--json', 'print the answer as JSON')
    .action((options: ShowOptions, command: Command) => showNodes(command.optsWithGlobals<ApiOptions>(), options));
  program
    .command('decommission')
    .description('strike a server or agent that will not come back off the cluster')
    .argument('<node>', 'as hsdo nodes shows it; refused while it is healthy')
    .action((node: string, _: unknown, command: Command) => decommission(command.optsWithGlobals<ApiOptions>(), node));
}

/** Prints the nodes; programs get the answers of `cluster` and `nodes` in one. */
export async function showNodes(api: ApiOptions, options: ShowOptions): Promise<void> {
  const [cluster, { nodes }] = await Promise.all([
    askApi(api, 'GET', '/api/v1/cluster') as Promise<ClusterView>,
    askApi(api, 'GET', '/api/v1/nodes') as Promise<{ nodes: readonly NodeView[] }>,
  ]);
  print(options, { ...cluster, nodes }, () => nodesForPeople(cluster, nodes));
}

/** The cluster in one line, and a table of its nodes. */
export function nodesForPeople(cluster: ClusterView, nodes: readonly NodeView[]): string {
  const { name, leader, epoch, store } = cluster;
  const rows = nodes.map((node) => [
    node.id,
    node.kind,
    node.isLeader ? 'leader' : '-',
    stateOf(node),
    node.silentMs === undefined ? '-' : ago(0, node.silentMs),
    node.services.join(', ') || '-',
    node.isTransient ? 'itself' : 'decommission',
  ]);
  const head = ['NODE', 'KIND', 'ROLE', 'STATE', 'HEARD', 'WATCHES', 'LEAVES BY'];
  return `cluster ${name}, led by ${leader ?? 'nobody'} (epoch ${epoch}), store ${store.kind}\n\n${showTable(head, rows)}`;
}

function stateOf({ isHealthy, abstains }: NodeView): string {
  if (!isHealthy) return 'silent';
  return abstains === undefined ? 'healthy' : `healthy, abstains: ${abstains}`;
}

/** Strikes a node off; the API says no while it is healthy. */
export async function decommission(api: ApiOptions, node: string): Promise<void> {
  await askApi(api, 'DELETE', `/api/v1/nodes/${encodeURIComponent(node)}`);
  process.stdout.write(`done: ${node} is struck off\n`);
}
