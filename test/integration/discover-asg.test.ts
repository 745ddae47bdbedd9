import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type AwsGroups, prepareGroups } from '../fixtures/aws-groups.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Moto, motoPrograms, startMoto } from '../fixtures/moto.ts';
import { sourceOf, targetsOf } from '../fixtures/sources.ts';
import { type StandIn, startStandIn } from '../fixtures/stand-in.ts';

describeWith(motoPrograms, 'the source aws on moto', () => {
  let moto: Moto;
  let aws: AwsGroups;
  /** Stands between the source and moto: records what is asked, and may make pages small. */
  let proxy: StandIn;
  let pageSize = 100;

  beforeAll(async () => {
    moto = await startMoto();
    process.env['AWS_ACCESS_KEY_ID'] = moto.credentials.accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = moto.credentials.secretAccessKey;
  });
  afterAll(() => moto.stop());
  beforeEach(async () => {
    await moto.reset();
    aws = await prepareGroups(moto);
    pageSize = 100;
    proxy = await startStandIn(async ({ method, url, body, headers }, response) => {
      const asked = body.replace('MaxRecords=100', `MaxRecords=${pageSize}`);
      const names = ['authorization', 'content-type', 'x-amz-date'].flatMap((name) => {
        const value = headers[name];
        return typeof value === 'string' ? [[name, value] as const] : [];
      });
      const answer = await fetch(`${moto.endpoint}${url}`, { method, body: asked, headers: Object.fromEntries(names) });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/xml' });
      response.end(await answer.text());
    });
    return () => proxy.stop();
  });

  const asgOf = (groups: readonly string[], fields: object = {}) =>
    sourceOf({ kind: 'aws', groups, region: moto.region, endpoint: proxy.url, ...fields });
  const asked = (action: string) => proxy.requests.filter(({ body }) => body.includes(`Action=${action}&`));

  it('reports the instances of several groups with their private address, group and zone', async () => {
    await aws.create('web-a', 2);
    await aws.create('web-b', 1);
    const targets = await targetsOf(asgOf(['web-a', 'web-b']));
    const [a1 = '', a2 = ''] = await aws.idsOf('web-a');
    const [b1 = ''] = await aws.idsOf('web-b');
    const zone = 'eu-central-1a';
    const wanted = [
      { id: a1, name: a1, address: await aws.addressOf(a1), group: 'web-a', zone },
      { id: a2, name: a2, address: await aws.addressOf(a2), group: 'web-a', zone },
      { id: b1, name: b1, address: await aws.addressOf(b1), group: 'web-b', zone },
    ];
    expect(targets).toEqual(wanted.sort((a, b) => (a.id < b.id ? -1 : 1)));
    expect(targets.every(({ address }) => address.startsWith('127.0.'))).toBe(true);
  });

  it('follows a group up and down', async () => {
    await aws.create('web', 3);
    const source = asgOf(['web']);
    for (const size of [5, 2, 0, 1]) {
      await aws.scale('web', size);
      const ids = (await targetsOf(source)).map(({ id }) => id);
      expect(ids).toHaveLength(size);
      expect(ids).toEqual(await aws.idsOf('web'));
    }
  });

  it('leaves out an instance in standby, one that was terminated and one that was stopped', async () => {
    await aws.create('web', 5);
    const source = asgOf(['web']);
    const [first = '', second = '', third = '', ...others] = await aws.idsOf('web');
    expect(await targetsOf(source)).toHaveLength(5);
    await aws.standby('web', first);
    await aws.terminate(second);
    await aws.halt(third);
    expect((await targetsOf(source)).map(({ id }) => id)).toEqual(others);
  });

  it('asks EC2 nothing for groups without instances', async () => {
    await aws.create('web', 0);
    expect(await targetsOf(asgOf(['web']))).toEqual([]);
    expect(asked('DescribeAutoScalingGroups')).toHaveLength(1);
    expect(asked('DescribeInstances')).toHaveLength(0);
  });

  it('reads every page of the groups, and every hundred of the instances', async () => {
    await aws.create('large', 150);
    for (let n = 1; n <= 6; n += 1) await aws.create(`web-${n}`, 1);
    pageSize = 2;
    const groups = ['large', ...Array.from({ length: 6 }, (_, n) => `web-${n + 1}`)];
    expect(await targetsOf(asgOf(groups))).toHaveLength(156);
    expect(asked('DescribeAutoScalingGroups').length).toBeGreaterThan(3);
    expect(asked('DescribeInstances')).toHaveLength(2);
  });

  it('asks for many groups in calls of fifty names', async () => {
    const groups = Array.from({ length: 60 }, (_, n) => `web-${n}`);
    for (const group of groups) await aws.create(group, 1);
    expect(await targetsOf(asgOf(groups))).toHaveLength(60);
    expect(asked('DescribeAutoScalingGroups')).toHaveLength(2);
  });

  it('does not know when a configured group is not there', async () => {
    await aws.create('web', 1);
    const reading = targetsOf(asgOf(['web', 'wbe']));
    await expect(reading).rejects.toMatchObject({ code: 'unavailable' });
    await expect(reading).rejects.toThrow('AWS does not know Auto Scaling group "wbe"');
  });

  it('refuses instances without an IPv6 address by name where those are wanted', async () => {
    await aws.create('web', 1);
    const [id = ''] = await aws.idsOf('web');
    expect(await targetsOf(asgOf(['web'], { addressFamily: 'ipv6' }), [id])).toEqual([]);
  });
});
