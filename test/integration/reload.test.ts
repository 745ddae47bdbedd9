import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askDns, dataOf, type Place } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Hsdo, samplesOf, startHsdo } from '../fixtures/hsdo.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

const domain = 'svc.example.org';
const token = (name: string) => ({ name, role: 'operate', token: `${name}-0123456789abcdef` });

describeWith(['dig'], 'SIGHUP', () => {
  let folder: string;
  let targets: readonly TestTarget[];
  let hsdo: Hsdo;
  let place: Place;
  const service = (name: string, more: object = {}) => ({
    name,
    size: 4,
    source: { kind: 'static', targets: targets.map(({ address, port }) => ({ address, port })) },
    check: { kind: 'tcp', intervalSeconds: 0.2 },
    weight: { min: 1, max: 3, increase: 1, intervalSeconds: 0.1 },
    ...more,
  });
  const configuration = (more: object = {}) => ({
    store: { kind: 'sqlite', path: join(folder, 'hsdo.db') },
    cluster: { leaseTtlSeconds: 2 },
    intervalSeconds: 0.2,
    dns: { listen: [`${place.host}:${place.port}`], domain, ttlSeconds: 20 },
    api: { tokens: [token('first')] },
    services: [service('web'), service('old')],
    ...more,
  });
  const asks = async (path: string, name: string) =>
    fetch(`${hsdo.api}${path}`, { headers: { authorization: `Bearer ${token(name).token}` } });
  const status = async (name = 'first') => {
    const answer = await asks('/api/v1/status', name);
    expect(answer.status).toBe(200);
    return (await answer.json()) as Awaited<ReturnType<Hsdo['status']>>;
  };
  const web = async (name?: string) => (await status(name)).services.find((one) => one.name === 'web');
  const metric = async (name: string) => {
    const headers = { authorization: `Bearer ${token('metrics').token}` };
    return samplesOf(await (await fetch(`${hsdo.exporter}/metrics`, { headers })).text(), name);
  };
  const inUse = () => hsdo.log().split('the configuration on disk is in use').length - 1;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hsdo-reload-'));
    targets = await startTargets(3);
    place = { host: '127.0.0.1', port: await freePort() };
    hsdo = await startHsdo({ role: 'server', nodeId: 's1', config: configuration() });
    await until('all are up at full weight', async () => {
      const slots = await asks('/api/v1/services/web/slots', 'first').then((answer) => answer.text());
      return slots.split('"weight":3').length === 4 && (await web())?.verdicts?.up === 3;
    });
    await until('names are answered', async () => (await dataOf(place, `old.${domain}`, 'A')).length > 0);
  }, 90_000);
  afterAll(async () => {
    await hsdo?.remove();
    for (const target of targets ?? []) await target.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('brings in a new service and new tokens, takes an old one away, and keeps lease, list, API and DNS as they are', async () => {
    const [before, lease, pid] = [await web(), (await status()).lease, hsdo.pid()];
    const stream = await fetch(`${hsdo.api}/api/v1/stream`, {
      headers: { authorization: `Bearer ${token('first').token}`, accept: 'text/event-stream' },
    });
    const streamed = stream.text();
    const [dns, api] = [
      load(() => askDns('dig', place, `web.${domain}`, 'A')),
      load(() => fetch(`${hsdo.api}/healthz`)),
    ];
    await hsdo.configure(
      configuration({
        api: { tokens: [token('second')] },
        exporter: { token: token('metrics').token },
        services: [service('web', { drainSeconds: 5 }), service('new')],
      }),
    );
    hsdo.hangUp();
    await until('it is in use', () => inUse() === 1);
    await until('the new name is answered', async () => (await dataOf(place, `new.${domain}`, 'A')).length > 0);
    await until(
      'the old name is gone',
      async () => (await askDns('dig', place, `old.${domain}`, 'A')).code === 'NXDOMAIN',
    );
    const after = await until('all three vote again', async () => {
      const now = await web('second');
      return now?.verdicts?.up === 3 && now.inDoubt === undefined ? now : undefined;
    });
    await until('both were asked often', () => dns.count() > 5 && api.count() > 20);
    const [answers, responses] = [await dns.stop(), await api.stop()];
    expect([...new Set(answers.map(({ code, answer }) => `${code} ${answer.length}`))]).toEqual(['NOERROR 3']);
    expect([...new Set(responses.map(({ status: code }) => code))]).toEqual([200]);
    expect([after.revision, after.epoch, after.publishedAt]).toEqual([
      before?.revision,
      before?.epoch,
      before?.publishedAt,
    ]);
    expect([(await status('second')).lease, hsdo.pid()]).toEqual([lease, pid]);
    expect((await status('second')).services.map(({ name }) => name)).toEqual(['web', 'new']);
    expect((await asks('/api/v1/status', 'first')).status).toBe(401);
    expect((await fetch(`${hsdo.exporter}/metrics`)).status).toBe(401);
    expect(await streamed).toContain('event: frame');
    const weights = [...(await metric('hsdo_server_weight')).keys()].join('\n');
    expect([weights.includes('service="old"'), weights.includes('service="web"')]).toEqual([false, true]);
    expect([...(await metric('hsdo_assign_slots')).keys()].join()).not.toContain('service="old"');
  });

  it('with a faulty file changes nothing, names every fault, and says so to who asks and who watches', async () => {
    await hsdo.configure(configuration({ services: [service('web', { size: 'many', colour: 'red' })] }));
    hsdo.hangUp();
    await until('it is refused', () => hsdo.log().includes('the reload was refused'));
    expect(hsdo.log()).toMatch(/services\[0\]\.size.*services\[0\]/s);
    expect((await status('second')).problems.map(({ part }) => part)).toContain('configuration');
    expect((await fetch(`${hsdo.api}/readyz`)).status).toBe(200);
    expect([...(await metric('hsdo_config_last_reload_successful')).values()]).toEqual([0]);
    expect(await dataOf(place, `new.${domain}`, 'A')).toHaveLength(3);
  });

  it('refuses what takes a restart, by name', async () => {
    await hsdo.configure(configuration({ store: { kind: 'sqlite', path: join(folder, 'other.db') } }));
    hsdo.hangUp();
    await until('it is refused', async () =>
      (await status('second')).problems.some(({ message }) => message.includes('store can only change at a restart')),
    );
    expect(await dataOf(place, `new.${domain}`, 'A')).toHaveLength(3);
  });

  it('takes the next one that is right, also while targets are missing', async () => {
    await targets[0]?.stop();
    await until('it is down', async () => (await web('second'))?.verdicts?.down === 1);
    await hsdo.configure(configuration({ api: {} }));
    hsdo.hangUp();
    await until('it is in use', () => inUse() === 2);
    expect((await hsdo.status()).problems).not.toContainEqual(expect.objectContaining({ part: 'configuration' }));
    await until('the old name is back', async () => (await dataOf(place, `old.${domain}`, 'A')).length === 2);
    expect(await dataOf(place, `web.${domain}`, 'A')).toHaveLength(2);
    expect([...(await metric('hsdo_config_last_reload_successful')).values()]).toEqual([1]);
  });
});

/** Asks without a pause, until the answers are wanted. */
function load<T>(ask: () => Promise<T>) {
  const answers: T[] = [];
  let isOver = false;
  const run = (async () => {
    while (!isOver) answers.push(await ask());
    return answers;
  })();
  return {
    count: () => answers.length,
    stop() {
      isOver = true;
      return run;
    },
  };
}
