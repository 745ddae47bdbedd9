import type { Command } from 'commander';
import type { ServiceDetail, TargetView } from '../api/view.ts';
import { showEndpoint } from '../model/endpoint.ts';
import { systemClock } from '../time/clock.ts';
import { agentTable } from './agent-table.ts';
import { type ApiOptions, askApi, serviceAddress } from './api-client.ts';
import { primaryTrouble, showPrimary } from './primary.ts';
import { switchoverOf } from './services.ts';
import { instant, print, type ShowOptions } from './show.ts';
import { observerTrouble, panicTrouble } from './status.ts';
import { showSwitch } from './switch.ts';
import { ago, showTable } from './table.ts';

/** `hsdo service NAME`: who is up, who says so, and what the checks counted. */
export function addService(program: Command): void {
  program
    .command('service')
    .description('show one service in full: verdicts, votes and the statistics of its checks')
    .argument('<name>')
    .option('--json', 'print the answer as JSON')
    .action((name: string, options: ShowOptions, command: Command) =>
      showServiceDetail(command.optsWithGlobals<ApiOptions>(), name, options),
    );
}

/** Prints one service in full. */
export async function showServiceDetail(api: ApiOptions, name: string, options: ShowOptions): Promise<void> {
  print(options, (await askApi(api, 'GET', serviceAddress(name))) as ServiceDetail, showDetail);
}

function showDetail(detail: ServiceDetail): string {
  const now = systemClock.now();
  const { check, policy, selection, whenAllDown, targets, observers } = detail;
  const lines = [
    `service    ${detail.name}, ${detail.state}, revision ${detail.revision}, ${detail.taken} of ${detail.size} slots taken`,
    `check      ${check ?? 'none: HAProxy alone checks'}`,
    ...(check === undefined ? [] : [`verdict    by ${policy} of ${observers.map(({ id }) => id).join(', ')}`]),
    `selection  ${selection}, when all are down: ${whenAllDown}`,
    ...(detail.active === undefined ? [] : [`active     ${nameOf(detail, detail.active)}`]),
    ...(detail.switchover === undefined ? [] : [`switchover ${switchoverOf(detail)}`]),
    ...(detail.maintenanceUntilAt === undefined
      ? []
      : [`maintenance until ${instant(detail.maintenanceUntilAt)} UTC: nobody is told of it meanwhile`]),
    ...showSwitch(detail, now),
    ...(detail.domains === undefined ? [] : [`names      ${detail.domains.join(', ')}`]),
    ...showPrimary(detail),
    '',
    showTable(
      ['SLOT', 'TARGET', 'ADDRESS', 'WEIGHT', 'HEALTH', 'SINCE', 'VOTES'],
      targets.map((target) => targetRow(target, now)),
    ),
  ];
  lines.push(...agentTable(observers, now));
  if (check !== undefined) lines.push(...statisticsTable(targets, now));
  const warnings = [...panicTrouble(detail, now), ...primaryTrouble(detail), ...observers.flatMap(observerTrouble)];
  if (warnings.length > 0) lines.push('', ...warnings.map((line) => `! ${line}`));
  return lines.join('\n');
}

const nameOf = ({ targets }: ServiceDetail, id: string) => targets.find((target) => target.id === id)?.name ?? id;

function healthOf({ health, out, override, state }: TargetView): string {
  if (state === 'draining') return 'draining';
  const verdict =
    health === undefined ? '-' : health.verdict === 'down' ? `down (${health.code})` : `${health.verdict}`;
  const doubt = health?.isInDoubt ? ' in doubt' : '';
  const apart = out === undefined || out === 'down' ? '' : `, ${out}`;
  const byHand = override === undefined ? '' : `, ${override} by an operator`;
  return `${verdict}${doubt}${apart}${byHand}`;
}

function targetRow(target: TargetView, now: number): (string | number)[] {
  const votes = target.votes.map(({ observer, health, code }) =>
    health === 'up' ? `${observer}: up` : `${observer}: ${code}`,
  );
  return [
    target.slot,
    target.name,
    showEndpoint(target.address, target.port),
    target.servingWeight,
    healthOf(target),
    target.health === undefined ? '-' : ago(target.health.sinceAt, now),
    votes.join(', ') || '-',
  ];
}

/** What the asked process itself counted. */
function statisticsTable(targets: readonly TargetView[], now: number): string[] {
  const rows = targets.flatMap(({ name, statistics: counted }) =>
    counted
      ? [
          [
            name,
            counted.successes,
            counted.timeouts,
            counted.connectErrors,
            counted.responseErrors,
            counted.otherErrors,
            ago(counted.lastSuccessAt, now),
            ago(counted.lastFailureAt, now),
            counted.connectMs?.toFixed(1) ?? '-',
            counted.totalMs?.toFixed(1) ?? '-',
            counted.lastMessage,
          ],
        ]
      : [],
  );
  if (rows.length === 0) return [];
  const head = ['CHECKED', 'OK', 'TIME-OUT', 'CONNECT', 'RESPONSE', 'OTHER', 'LAST OK', 'LAST BAD', 'CONNECT MS', 'MS'];
  return ['', showTable([...head, 'LAST ANSWER'], rows)];
}
