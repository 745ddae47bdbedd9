import type { Command } from 'commander';
import type { ServiceDetail, TargetView } from '../api/view.ts';
import { type ApiOptions, askApi, serviceAddress } from './api-client.ts';

/** `hsdo forget-primary SERVICE`: for a group that was set up anew and whose primary is refused for those of the past. */
export function addForgetPrimary(program: Command): void {
  program
    .command('forget-primary')
    .description('forget which primaries a service had, so that one of a group that was set up anew is served')
    .argument('<service>')
    .action(async (service: string, _: unknown, command: Command) => {
      await askApi(command.optsWithGlobals<ApiOptions>(), 'POST', serviceAddress(service, 'primary', 'forget'));
      process.stdout.write(`asked: ${service} forgets the primaries that it had\n`);
    });
}

/** What is remembered of the primaries, as a line of `hsdo service`. */
export function showPrimary({ primary, targets }: Pick<ServiceDetail, 'primary' | 'targets'>): string[] {
  const { highestTimeline, lastId } = primary ?? {};
  if (highestTimeline === undefined && lastId === undefined) return [];
  const last = targets.find(({ id }) => id === lastId)?.name ?? lastId;
  const timeline = highestTimeline === undefined ? '' : `, newest timeline ${highestTimeline}`;
  return [`primary    last served ${last ?? 'unknown'}${timeline}`];
}

/** How a refused primary calls itself, by those who would vote for it. */
function timelineOf({ votes }: TargetView): number {
  return Math.max(0, ...votes.map(({ timeline }) => timeline ?? 0));
}

/** While no primary is served and some call themselves one: why, and what an operator can do about it. */
export function primaryTrouble({
  name: service,
  primary,
  targets,
}: Pick<ServiceDetail, 'name' | 'primary' | 'targets'>): string[] {
  const primaries = targets.filter(({ votes }) =>
    votes.some(({ health, role }) => health === 'up' && role === 'primary'),
  );
  const refused = primaries.filter(({ health }) => health?.code === 'second-primary');
  if (refused.length === 0 || refused.length < primaries.length) return [];
  const newest = Math.max(...refused.map(timelineOf));
  const rivals = refused.filter((target) => timelineOf(target) === newest);
  const [only, other] = rivals;
  if (other !== undefined || only === undefined) {
    const names = rivals.map((target) => target.name).join(', ');
    const advice = `take the wrong ones out: hsdo override ${service} TARGET drain`;
    return [`${names} call themselves primary, and nothing tells which of them is the right one; ${advice}`];
  }
  const shown = newest === 0 ? 'without a timeline' : `on timeline ${newest}`;
  const known =
    primary?.highestTimeline === undefined ? 'another one was served' : `${primary.highestTimeline} is known`;
  const advice = `if the group was set up anew: hsdo forget-primary ${service}`;
  return [`${only.name} is a primary ${shown}, but ${known}, so it is refused as an old one; ${advice}`];
}
