import type { AutoScalingClient, AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { EC2Client, Instance } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { HsdoError } from '../model/error.ts';
import { awsFailure, clientSettings } from './aws-calls.ts';
import { showValue } from './show.ts';
import { type DiscoverySource, inOrder, type Sighting, type SourceContext } from './source.ts';

export const asgSchema = z.strictObject({
  kind: z.literal('aws'),
  /** Names of Auto Scaling groups; every one of them has to exist. */
  groups: z.array(z.string().min(1)).min(1),
  region: z.string().min(1).optional(),
  profile: z.string().min(1).optional(),
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  addressFamily: z.enum(['ipv4', 'ipv6']).default('ipv4'),
});

/** A page of DescribeAutoScalingGroups and a call of DescribeInstances at most; AWS allows 50 names and 1000 ids. */
const [groupsPerCall, instancesPerCall] = [50, 100];
/** A call of DescribeInstances fails for one unknown id; AWS names them all at once, so few tries are enough. */
const mostTries = 20;

interface Member {
  readonly instanceId: string;
  readonly group: string;
  readonly zone: string | undefined;
}

/**
 * Targets are the instances of Auto Scaling groups that are InService there and running in EC2, by their private
 * address. Anything that is not known whole is not known: a group that AWS does not report, a page that fails, an
 * instance that EC2 leaves out without a word. Only where EC2 says that an instance does not exist is it left out:
 * it is either not yet known everywhere or long gone. Groups without instances never reach EC2, where no ids at all
 * would mean every instance of the account.
 */
export function createAsgSource(config: z.output<typeof asgSchema>, context: SourceContext): DiscoverySource {
  const settings = clientSettings(config, context.aws);
  // Loaded on first use, so that only those pay for the SDK who use it; an import that failed is tried again.
  let autoScaling: AutoScalingClient | undefined;
  let ec2: EC2Client | undefined;

  async function groupsCalled(names: readonly string[], signal: AbortSignal): Promise<AutoScalingGroup[]> {
    const { AutoScalingClient, DescribeAutoScalingGroupsCommand } = await import('@aws-sdk/client-auto-scaling');
    autoScaling ??= new AutoScalingClient(settings);
    const client = autoScaling;
    return everyPage(async (NextToken) => {
      const input = { AutoScalingGroupNames: [...names], MaxRecords: 100, ...(NextToken ? { NextToken } : {}) };
      const call = client.send(new DescribeAutoScalingGroupsCommand(input), { abortSignal: signal });
      const page = await call.catch(awsFailure('autoscaling:DescribeAutoScalingGroups', signal));
      return { items: page.AutoScalingGroups ?? [], next: page.NextToken };
    });
  }

  async function instancesCalled(ids: readonly string[], signal: AbortSignal): Promise<Instance[]> {
    const { EC2Client, DescribeInstancesCommand } = await import('@aws-sdk/client-ec2');
    ec2 ??= new EC2Client(settings);
    const client = ec2;
    return everyPage(async (NextToken) => {
      const input = { InstanceIds: [...ids], ...(NextToken ? { NextToken } : {}) };
      const page = await client.send(new DescribeInstancesCommand(input), { abortSignal: signal });
      return { items: (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances), next: page.NextToken };
    });
  }

  /** Instances by id, without those that EC2 says do not exist. */
  async function knownInstances(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Instance>> {
    let wanted = ids;
    for (let tries = 1; wanted.length > 0; tries += 1) {
      try {
        return reported(wanted, await instancesCalled(wanted, signal));
      } catch (error) {
        const missing = tries < mostTries ? missingIds(error, wanted) : [];
        if (missing.length === 0) return awsFailure('ec2:DescribeInstances', signal)(error);
        wanted = wanted.filter((id) => !missing.includes(id));
      }
    }
    return new Map();
  }

  return {
    async discover(signal) {
      const names = [...new Set(config.groups)];
      const groups = await inChunks(names, groupsPerCall, (chunk) => groupsCalled(chunk, signal));
      const members = membersOf(names, groups);
      const instances = await inChunks(members, instancesPerCall, async (chunk) => {
        const ids = chunk.map(({ instanceId }) => instanceId);
        return [...(await knownInstances(ids, signal))];
      });
      const known = new Map(instances);
      return inOrder(
        members.flatMap((member) => toSighting(member, known.get(member.instanceId), config.addressFamily)),
      );
    },
  };
}

/** InService instances of all configured groups. */
function membersOf(names: readonly string[], groups: readonly AutoScalingGroup[]): readonly Member[] {
  const missing = names.filter((name) => !groups.some((group) => group.AutoScalingGroupName === name));
  if (missing.length > 0) {
    const shown = missing.map(showValue).join(', ');
    const wanted = 'expected every configured group to exist in this account and region';
    throw new HsdoError('unavailable', `AWS does not know Auto Scaling group ${shown}: ${wanted}`);
  }
  return groups
    .filter((group) => names.includes(group.AutoScalingGroupName ?? ''))
    .flatMap((group) =>
      (group.Instances ?? [])
        .filter((instance) => instance.LifecycleState === 'InService')
        .map((instance) => ({
          instanceId: instance.InstanceId ?? '',
          group: group.AutoScalingGroupName ?? '',
          zone: instance.AvailabilityZone,
        })),
    );
}

function reported(ids: readonly string[], instances: readonly Instance[]): ReadonlyMap<string, Instance> {
  const byId = new Map(instances.map((instance) => [instance.InstanceId ?? '', instance]));
  const silent = ids.filter((id) => !byId.has(id));
  if (silent.length === 0) return byId;
  const shown = silent.slice(0, 10).map(showValue).join(', ');
  const wanted = 'expected each one, or an error that names it';
  throw new HsdoError('unavailable', `EC2 left ${silent.length} instances out of its answer (${shown}): ${wanted}`);
}

/** Ids of those asked for that an error says do not exist. */
function missingIds(error: unknown, asked: readonly string[]): readonly string[] {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  if (name !== 'InvalidInstanceID.NotFound') return [];
  const named = new Set(message.match(/i-[0-9a-z]+/g));
  return asked.filter((id) => named.has(id));
}

function toSighting(member: Member, instance: Instance | undefined, family: 'ipv4' | 'ipv6'): readonly Sighting[] {
  if (instance?.State?.Name !== 'running') return [];
  const interfaces = instance.NetworkInterfaces ?? [];
  const ipv6 = instance.Ipv6Address ?? interfaces.flatMap(({ Ipv6Addresses = [] }) => Ipv6Addresses)[0]?.Ipv6Address;
  const address = family === 'ipv4' ? instance.PrivateIpAddress : ipv6;
  const { instanceId: id, group } = member;
  return [{ id, name: id, address, group, zone: member.zone ?? instance.Placement?.AvailabilityZone }];
}

async function inChunks<A, B>(items: readonly A[], size: number, call: (chunk: readonly A[]) => Promise<readonly B[]>) {
  const results: B[] = [];
  for (let from = 0; from < items.length; from += size) {
    results.push(...(await call(items.slice(from, from + size))));
  }
  return results;
}

/** Reads pages until none follows. The same token twice would go on for ever. */
async function everyPage<T>(
  read: (token: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
): Promise<T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  for (let token: string | undefined; ; ) {
    const page = await read(token);
    items.push(...page.items);
    token = page.next;
    if (!token) return items;
    if (seen.has(token)) throw new HsdoError('unavailable', 'AWS gives the same page again and again');
    seen.add(token);
  }
}
