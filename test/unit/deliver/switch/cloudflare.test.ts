import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cloudflareSchema, createCloudflareSwitcher } from '../../../../src/deliver/switch/cloudflare.ts';
import { HsdoError } from '../../../../src/model/error.ts';
import { systemClock } from '../../../../src/time/clock.ts';
import { type Cloudflare, startCloudflare } from '../../../fixtures/cloudflare.ts';

const one = { name: 'ep-1', address: '192.0.2.1' };
const two = { name: 'ep-2', address: '192.0.2.2' };
const six = { name: 'ep-6', address: '2001:db8::6' };
const name = 'www.example.org';
const never = new AbortController().signal;
const wait: Readonly<Record<string, string>> = { 'retry-after': '7' };
let cloudflare: Cloudflare;

beforeEach(async () => {
  cloudflare = await startCloudflare('example.org', { mostPerPage: 2 });
});
afterEach(() => cloudflare.stop());

const create = (options: object = {}) =>
  createCloudflareSwitcher(
    cloudflareSchema.parse({
      kind: 'cloudflare',
      apiToken: cloudflare.token,
      zone: 'example.org',
      baseUrl: cloudflare.baseUrl,
      ...options,
    }),
    { service: 'web', domain: name, clock: systemClock },
  );

const failureOf = async (call: Promise<unknown>): Promise<HsdoError> => {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof HsdoError) return error;
  throw new Error(`expected a HsdoError, got ${String(error)}`);
};

describe('the switcher "cloudflare"', () => {
  it('creates the record where there is none, proxied and with an automatic time to live, and changes it from then on', async () => {
    cloudflare.add({ name: 'other.example.org', content: '192.0.2.9' });
    const switcher = create();
    expect(await switcher.current(never)).toBeUndefined();
    await switcher.switchTo(one, never);
    expect(cloudflare.shown(name)).toEqual(['A 192.0.2.1 proxied']);
    expect(await switcher.current(never)).toBe('192.0.2.1');
    const [record] = cloudflare.records.filter((stored) => stored.name === name);
    cloudflare.asked();
    await switcher.switchTo(two, never);
    // The same record, and the zone is not looked up again.
    expect(cloudflare.asked()).toEqual(['GET /zones/ZONE/dns_records', `PATCH /zones/ZONE/dns_records/${record?.id}`]);
    await switcher.switchTo(two, never);
    expect(cloudflare.asked()).toEqual(['GET /zones/ZONE/dns_records']);
    expect(cloudflare.shown(name)).toEqual(['A 192.0.2.2 proxied']);
    expect(cloudflare.shown('other.example.org')).toEqual(['A 192.0.2.9 proxied']);
  });

  it('makes one of several records, over all pages, and leaves other types of the name alone', async () => {
    for (let n = 1; n <= 3; n += 1) cloudflare.add({ name, type: 'TXT', content: `text ${n}` });
    for (const { address } of [two, one]) cloudflare.add({ name, content: address });
    const switcher = create();
    expect(await switcher.current(never)).toBe('192.0.2.1, 192.0.2.2');
    await switcher.switchTo(one, never);
    expect(cloudflare.shown(name).filter((line) => line.startsWith('A'))).toEqual(['A 192.0.2.1 proxied']);
    expect(cloudflare.shown(name)).toHaveLength(4);
    expect(cloudflare.asked().filter((line) => line.startsWith('GET /zones/ZONE'))).toHaveLength(6);
  });

  it('tells and repairs a record that has another proxying or time to live', async () => {
    cloudflare.add({ name, content: one.address, proxied: false, ttl: 300 });
    expect(await create().current(never)).toBe('192.0.2.1 (not proxied)');
    await create().switchTo(one, never);
    expect(cloudflare.shown(name)).toEqual(['A 192.0.2.1 proxied']);
    const open = create({ proxied: false, ttlSeconds: 60 });
    expect(await open.current(never)).toBe('192.0.2.1 (proxied)');
    await open.switchTo(one, never);
    expect(cloudflare.shown(name)).toEqual(['A 192.0.2.1 ttl 60']);
    expect(await open.current(never)).toBe('192.0.2.1');
    expect(await create({ proxied: false }).current(never)).toBe('192.0.2.1 (ttl 60)');
  });

  it('writes AAAA for an IPv6 address, and refuses to leave a record of the other family or to touch a CNAME', async () => {
    await create().switchTo(six, never);
    expect(cloudflare.shown(name)).toEqual(['AAAA 2001:db8::6 proxied']);
    const aaaa = cloudflare.records.find((stored) => stored.name === name);
    if (aaaa) aaaa.content = '2001:0DB8::6';
    expect(await create().current(never)).toBe('2001:db8::6');
    expect(await failureOf(create().switchTo(one, never))).toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/has the records AAAA .* expected A records alone/),
    });
    cloudflare.add({ name, content: one.address });
    expect(await failureOf(create().current(never))).toMatchObject({ code: 'rejected' });
    cloudflare.records.length = 0;
    cloudflare.add({ name, type: 'CNAME', content: 'elsewhere.example.net' });
    for (const call of [create().current(never), create().switchTo(one, never)]) {
      expect(await failureOf(call)).toMatchObject({
        code: 'rejected',
        message: expect.stringContaining('is a CNAME at Cloudflare, of elsewhere.example.net'),
      });
    }
    expect(cloudflare.records).toHaveLength(1);
  });

  it('says what is wrong with the token or the zone, and never shows the token', async () => {
    const wrong = await failureOf(create({ apiToken: 'wrong-token-1234' }).current(never));
    expect(wrong).toMatchObject({ code: 'rejected' });
    expect(wrong.message).toMatch(/403 \(9109 Invalid access token\): the token is wrong .* "Zone.DNS: Edit"/);
    expect(JSON.stringify([wrong, wrong.message, wrong.cause])).not.toContain('wrong-token-1234');
    expect(await failureOf(create({ zone: 'example.net', record: 'a.example.net' }).current(never))).toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('no zone "example.net"'),
    });
    cloudflare.zone.paused = true;
    expect((await failureOf(create().current(never))).message).toContain('is paused at Cloudflare');
  });

  it('looks the zone up once more when its id is no longer known', async () => {
    const switcher = create();
    await switcher.switchTo(one, never);
    cloudflare.zone.id = 'another';
    await switcher.switchTo(two, never);
    expect(cloudflare.shown(name)).toEqual(['A 192.0.2.2 proxied']);
  });

  it('calls limits, errors of the server and pages of a proxy unavailable, with the time that it was told to wait', async () => {
    const limited = { success: false, errors: [{ code: 10_013, message: 'Rate limited' }], result: null };
    cloudflare.failNext({ status: 429, headers: wait, body: JSON.stringify(limited) });
    expect(await failureOf(create().current(never))).toMatchObject({ code: 'unavailable', retryAfterMs: 7000 });
    const dates = { date: 'Sat, 21 Nov 2026 18:00:00 GMT', 'retry-after': 'Sat, 21 Nov 2026 18:00:30 GMT' };
    cloudflare.failNext({ status: 503, headers: dates, body: 'no' });
    expect(await failureOf(create().current(never))).toMatchObject({ code: 'unavailable', retryAfterMs: 30_000 });
    for (const status of [200, 403, 502]) {
      cloudflare.failNext({ status, body: '<html>\n<b>Just a moment</b></html>' });
      const error = await failureOf(create().current(never));
      expect(error.code).toBe('unavailable');
      expect(error.message).toContain(
        `${status} with something else than its JSON: "<html> <b>Just a moment</b></html>"`,
      );
    }
    cloudflare.failNext({
      status: 200,
      body: '{"success":true,"result":[{"id":"../../x","name":"example.org","status":"active"}]}',
    });
    expect((await failureOf(create().current(never))).message).toContain('another form than expected');
    cloudflare.failNext({ status: 200, body: 'x'.repeat(5_000_000) });
    expect((await failureOf(create().current(never))).message).toContain('longer than');
    cloudflare.failNext({ status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' });
    expect(await failureOf(create().current(never))).toMatchObject({ code: 'rejected' });
    await cloudflare.stop();
    expect(await failureOf(create().current(never))).toMatchObject({ code: 'unavailable' });
  });

  it('tells a race from a refusal', async () => {
    cloudflare.add({ name, content: two.address });
    // Gone between reading and writing.
    cloudflare.hold = ({ method }) => void (method === 'PATCH' && cloudflare.records.splice(0));
    expect(await failureOf(create().switchTo(one, never))).toMatchObject({ code: 'unavailable' });
    // An equal one appears meanwhile.
    cloudflare.hold = ({ method }) => void (method === 'POST' && cloudflare.add({ name, content: one.address }));
    expect(await failureOf(create().switchTo(one, never))).toMatchObject({ code: 'unavailable' });
    cloudflare.hold = undefined;
    cloudflare.failNext({ status: 400, body: '{"success":false,"errors":[{"code":1004,"message":"Bad content"}]}' });
    expect(await failureOf(create().switchTo(one, never))).toMatchObject({ code: 'rejected' });
  });
});

describe('the options of the switcher "cloudflare"', () => {
  const parse = (options: object) =>
    cloudflareSchema.safeParse({ kind: 'cloudflare', apiToken: 'abc', zone: 'example.org', ...options });

  it.each([
    ['http://api.example.org', false],
    ['https://user:pw@api.example.org', false],
    ['https://api.example.org/?a=1', false],
    ['ftp://127.0.0.1', false],
    ['http://127.0.0.1.example.org', false],
    ['https://gateway.example.org/cf/', true],
    ['http://localhost:8080', true],
    ['http://[::1]:8080/client/v4', true],
  ])('take %s as a base URL: %s', (baseUrl, isGood) => {
    expect(parse({ baseUrl }).success).toBe(isGood);
  });

  it('refuse a time to live that Cloudflare would not keep', () => {
    expect(parse({ ttlSeconds: 60 }).success).toBe(false);
    expect(parse({ ttlSeconds: 60, proxied: false }).success).toBe(true);
  });
});
