import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeError } from '../../../src/model/error.ts';
import { sourceOf, targetsOf } from '../../fixtures/sources.ts';
import { type Asked, type StandIn, startStandIn } from '../../fixtures/stand-in.ts';

interface Row {
  readonly id: string;
  readonly lifecycle?: string;
  readonly state?: string;
  readonly fields?: string;
}

const groupsXml = (name: string, rows: readonly Row[], next = '') => `<DescribeAutoScalingGroupsResponse
  xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult>
  ${next && `<NextToken>${next}</NextToken>`}<AutoScalingGroups><member>
  <AutoScalingGroupName>${name}</AutoScalingGroupName><Instances>${rows
    .map(
      ({ id, lifecycle = 'InService' }) => `<member><InstanceId>${id}</InstanceId>
    <LifecycleState>${lifecycle}</LifecycleState><AvailabilityZone>eu-1a</AvailabilityZone></member>`,
    )
    .join(
      '',
    )}</Instances></member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`;

const instancesXml = (rows: readonly Row[], next = '') => `<DescribeInstancesResponse
  xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet>${rows
    .map(
      ({
        id,
        state = 'running',
        fields = '<privateIpAddress>10.0.0.1</privateIpAddress>',
      }) => `<item><instancesSet><item>
    <instanceId>${id}</instanceId><instanceState><name>${state}</name></instanceState>${fields}</item></instancesSet></item>`,
    )
    .join('')}</reservationSet>${next && `<nextToken>${next}</nextToken>`}</DescribeInstancesResponse>`;

const ec2Error = (code: string, message: string) =>
  `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors></Response>`;
const queryError = (code: string, message: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;

const at = (n: number) => `<privateIpAddress>10.0.0.${n}</privateIpAddress>`;
type Xml = string | { readonly status: number; readonly xml: string };

/** Answers of AWS that moto does not give. */
describe('the source aws', () => {
  let aws: StandIn;
  let groups: (form: URLSearchParams) => Xml;
  let instances: (form: URLSearchParams) => Xml;
  const idsIn = (form: URLSearchParams) =>
    [...form].filter(([key]) => key.startsWith('InstanceId.')).map(([, id]) => id);
  const asked = (action: string) => aws.requests.filter(({ body }: Asked) => body.includes(`Action=${action}&`)).length;

  beforeEach(async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'test';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
    aws = await startStandIn(({ body }, response) => {
      const form = new URLSearchParams(body);
      const answer = form.get('Action') === 'DescribeInstances' ? instances(form) : groups(form);
      const { status, xml } = typeof answer === 'string' ? { status: 200, xml: answer } : answer;
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
    });
    groups = () => groupsXml('web', [{ id: 'i-1' }]);
    instances = (form) => instancesXml(idsIn(form).map((id) => ({ id, fields: at(Number(id.slice(2))) })));
    return () => aws.stop();
  });
  afterEach(() => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    delete process.env['AWS_SECRET_ACCESS_KEY'];
  });

  const asgOf = (fields: object = {}) =>
    sourceOf({ kind: 'aws', groups: ['web'], region: 'eu-1', endpoint: aws.url, ...fields });
  const idsOf = async (fields: object = {}) => (await targetsOf(asgOf(fields))).map(({ id }) => id);
  const never = new AbortController().signal;

  it('takes only instances that are InService in their group and running in EC2', async () => {
    const states = [
      'Pending',
      'Pending:Wait',
      'InService',
      'Terminating',
      'Terminating:Wait',
      'Standby',
      'Warmed:Stopped',
    ];
    groups = () =>
      groupsXml('web', [...states.map((lifecycle, n) => ({ id: `i-${n + 1}`, lifecycle })), { id: 'i-8' }]);
    instances = () => instancesXml([{ id: 'i-3' }, { id: 'i-8', state: 'shutting-down', fields: '' }]);
    expect(await idsOf()).toEqual(['i-3']);
  });

  it('reads every page of instances, and does not follow pages in a circle', async () => {
    groups = () => groupsXml('web', [{ id: 'i-1' }, { id: 'i-2' }]);
    instances = (form) =>
      form.get('NextToken') === 'more'
        ? instancesXml([{ id: 'i-2', fields: at(2) }])
        : instancesXml([{ id: 'i-1' }], 'more');
    expect(await idsOf()).toEqual(['i-1', 'i-2']);
    instances = () => instancesXml([{ id: 'i-1' }], 'more');
    await expect(asgOf().discover(never)).rejects.toThrow('the same page again and again');
  });

  it('leaves out what EC2 says does not exist, one or many at a time', async () => {
    groups = () =>
      groupsXml(
        'web',
        [1, 2, 3, 4].map((n) => ({ id: `i-${n}` })),
      );
    instances = (form) => {
      const missing = idsIn(form).filter((id) => id === 'i-2' || id === 'i-3');
      const xml = ec2Error('InvalidInstanceID.NotFound', `The instance IDs '${missing.join(', ')}' do not exist`);
      if (missing.length > 0) return { status: 400, xml };
      return instancesXml(idsIn(form).map((id) => ({ id, fields: at(Number(id.slice(2))) })));
    };
    expect(await idsOf()).toEqual(['i-1', 'i-4']);
    expect(asked('DescribeInstances')).toBe(2);
    groups = () => groupsXml('web', [{ id: 'i-2' }, { id: 'i-3' }]);
    expect(await idsOf()).toEqual([]);
    expect(asked('DescribeInstances')).toBe(3);
  });

  it('does not know when EC2 leaves an instance out without a word, or blames one that nobody asked for', async () => {
    groups = () => groupsXml('web', [{ id: 'i-1' }, { id: 'i-2' }]);
    instances = () => instancesXml([{ id: 'i-1' }]);
    await expect(asgOf().discover(never)).rejects.toThrow('EC2 left 1 instances out of its answer ("i-2")');
    instances = () => ({
      status: 400,
      xml: ec2Error('InvalidInstanceID.NotFound', "The instance ID 'i-9' does not exist"),
    });
    await expect(asgOf().discover(never)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('does not take a group for another one', async () => {
    groups = () => groupsXml('else', [{ id: 'i-1' }]);
    await expect(asgOf().discover(never)).rejects.toThrow('AWS does not know Auto Scaling group "web"');
  });

  it('reports the IPv6 address where that is wanted', async () => {
    const fields = `<networkInterfaceSet><item><ipv6AddressesSet><item><ipv6Address>2001:db8::5</ipv6Address></item>
      </ipv6AddressesSet></item></networkInterfaceSet>`;
    instances = () => instancesXml([{ id: 'i-1', fields }]);
    expect((await targetsOf(asgOf({ addressFamily: 'ipv6' })))[0]?.address).toBe('2001:db8::5');
  });

  it.each([
    ['AccessDenied', 403, 'rejected', /AWS refuses autoscaling:DescribeAutoScalingGroups: .* needs this permission/],
    ['InvalidClientTokenId', 403, 'rejected', /does not accept the credentials/],
    ['Throttling', 400, 'unavailable', /autoscaling:DescribeAutoScalingGroups failed: Wait/],
    ['InternalFailure', 500, 'unavailable', /failed: Wait/],
  ])('says of %s what is missing', async (code, status, wanted, words) => {
    groups = () => ({ status, xml: queryError(code, 'Wait') });
    const reading = asgOf().discover(never);
    await expect(reading).rejects.toMatchObject({ code: wanted });
    await reading.catch((error: unknown) => expect(describeError(error)).toMatch(words));
  });

  it('names the permission for EC2', async () => {
    instances = () => ({ status: 403, xml: ec2Error('UnauthorizedOperation', 'You are not authorized') });
    const reading = asgOf().discover(never);
    await expect(reading).rejects.toMatchObject({ code: 'rejected' });
    await expect(reading).rejects.toThrow('AWS refuses ec2:DescribeInstances');
  });

  it('does not know without credentials', async () => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
    const reading = asgOf({ profile: 'nobody-has-this-profile' }).discover(never);
    await expect(reading).rejects.toMatchObject({ code: 'unavailable' });
    await expect(reading).rejects.toThrow(/expected a region and credentials/);
    delete process.env['AWS_EC2_METADATA_DISABLED'];
  });

  it('gives up with the signal', async () => {
    const own = new AbortController();
    groups = () => {
      own.abort(new Error('enough'));
      return '';
    };
    await expect(asgOf().discover(own.signal)).rejects.toThrow('enough');
  });
});
