import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Notice } from '../../src/model/notice.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWith } from '../fixtures/component.ts';
import { exampleSecrets } from '../fixtures/examples.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { type SmtpSink, startSmtpSink } from '../fixtures/smtp-sink.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { startTelegram, type Telegram } from '../fixtures/telegram.ts';
import { until } from '../fixtures/until.ts';
import { startWebhookSink, type WebhookSink } from '../fixtures/webhook-sink.ts';

const example = fileURLToPath(new URL('../../conf/examples/notify.yaml', import.meta.url));

interface World {
  readonly targets: readonly [TestTarget, TestTarget];
  readonly smtp: SmtpSink;
  readonly telegram: Telegram;
  readonly chat: WebhookSink;
  readonly incidents: WebhookSink;
  readonly outside: WebhookSink;
  readonly certificates: Certificates;
}

/** The example as it stands, but for its places and intervals. */
async function configOf({ targets, smtp, telegram, incidents, certificates }: World) {
  const [one, two] = targets;
  const replacements = {
    'address: 10.0.0.21, port: 80': `address: ${one.address}, port: ${one.port}`,
    'address: 10.0.0.22, port: 80': `address: ${two.address}, port: ${two.port}`,
    'intervalSeconds: 5 ': 'intervalSeconds: 0.2 ',
    'failbackSeconds: 60': 'failbackSeconds: 1',
    'server: mail.example.org': `server: 127.0.0.1\n      ca: ${certificates.caFile}`,
    'port: 587': `port: ${smtp.port}`,
    'groupSeconds: 10': 'groupSeconds: 0.5',
    'maxPerHour: 20': `maxPerHour: 20\n    groupSeconds: 0.5\n    pollSeconds: 5\n    baseUrl: ${telegram.url}`,
    'format: slack': 'format: slack\n    groupSeconds: 0.5',
    'https://incidents.example.org/hsdo': incidents.url,
    'intervalSeconds: 60': 'intervalSeconds: 0.3',
  };
  const text = Object.entries(replacements).reduce(
    (rest, [from, to]) => {
      if (!rest.includes(from)) throw new Error(`the example does not hold ${JSON.stringify(from)}`);
      return rest.replaceAll(from, to);
    },
    await readFile(example, 'utf8'),
  );
  return parse(text) as Readonly<Record<string, Record<string, unknown>>>;
}

describeWith(['openssl'], 'two servers and everybody whom they tell', () => {
  const endings: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });
  const keep = <T extends { stop(): Promise<unknown> }>(thing: T) => {
    endings.push(() => thing.stop());
    return thing;
  };

  async function build(): Promise<World> {
    const certificates = await makeCertificates();
    endings.push(() => certificates.remove());
    const targets = (await startTargets(2)) as [TestTarget, TestTarget];
    for (const one of targets) keep(one);
    return {
      certificates,
      targets,
      smtp: keep(await startSmtpSink({ tls: certificates.good, user: 'hsdo' })),
      telegram: keep(await startTelegram(exampleSecrets.BOT_TOKEN)),
      chat: keep(await startWebhookSink()),
      incidents: keep(await startWebhookSink()),
      outside: keep(await startWebhookSink()),
    };
  }

  async function startServers(world: World): Promise<{ start(nodeId: string): Promise<Hsdo> }> {
    const config = await configOf(world);
    let storeFolder: string | undefined;
    const env = {
      ...exampleSecrets,
      MAIL_PASSWORD: 'right',
      CHAT_WEBHOOK_URL: world.chat.url,
      HEARTBEAT_URL: world.outside.url,
    };
    return {
      async start(nodeId) {
        const cluster = { ...config['cluster'], leaseTtlSeconds: 2, heartbeatSeconds: 1, nodeTtlSeconds: 20 };
        const path = storeFolder ?? join(world.certificates.caFile, '..', 'hsdo.db');
        storeFolder = path;
        const settings = { ...config, cluster, store: { kind: 'sqlite', path }, intervalSeconds: 0.2 };
        const hsdo = await startHsdo({ role: 'server', nodeId, config: settings, env });
        endings.push(() => hsdo.remove());
        return hsdo;
      },
    };
  }

  const noticesOf = ({ posted }: WebhookSink) =>
    posted.map(({ body }) => JSON.parse(body) as Notice & { headline: string });
  const kindsOf = (sink: WebhookSink) => noticesOf(sink).flatMap(({ events }) => events.map(({ kind }) => kind));

  it('tell of a failover on every way, of a new leader after a stop, and twice only what was not recorded', async () => {
    const world = await build();
    const { smtp, telegram, chat, incidents, outside, targets } = world;
    const { start } = await startServers(world);
    const first = await start('s1');
    telegram.write(7, `/start ${exampleSecrets.BOT_JOIN_CODE}`);
    await until('the chat is welcomed', () =>
      telegram.delivered.some(({ text }) => text.startsWith('This chat is told')),
    );
    await until(
      'it is told that all is well',
      () =>
        kindsOf(incidents).join() === 'new-leader,service-up' || kindsOf(incidents).join() === 'service-up,new-leader',
    );
    await until('somebody outside hears that all is in order', () => outside.posted.length > 1);
    const second = await start('s2');

    await targets[0].stop();
    const inChat = () => telegram.delivered.find(({ text }) => text.includes('failover'));
    expect((await until('the chat hears of it', inChat)).text).toMatch(
      /^\[shops\] ALERT shop: failover from shop-1 to shop-2 \(127.*: shop-1 is down/,
    );
    const mail = await until('mail comes', () => smtp.mails.find(({ raw }) => /failover/.test(raw)));
    expect(mail).toMatchObject({ to: ['ops@example.org', 'boss@example.org'], isSecure: true, user: 'hsdo' });
    const posted = await until('the room hears of it', () => chat.posted.find(({ body }) => /failover/.test(body)));
    expect(Object.keys(JSON.parse(posted.body) as object)).toEqual(['text']);
    expect(kindsOf(incidents)).toContain('target-down');

    await targets[0].start();
    await until('it is back', () => kindsOf(incidents).includes('switching'));
    const quiet = incidents.posted.length;
    await first.stop();
    await until('another one leads', () => incidents.posted.length > quiet);
    expect(
      noticesOf(incidents)
        .slice(quiet)
        .map(({ title }) => title),
    ).toEqual(['cluster: s2 leads, after s1']);

    // Killed after a notice is out and before that is recorded, which nobody can tell from a notice that was lost.
    incidents.answer('silence');
    const before = incidents.posted.length;
    await targets[1].stop();
    await until('a notice is out', () => incidents.posted.length > before);
    await second.kill();
    incidents.answer({ status: 200 });
    await start('s3');
    await until('the next one tells it again', () =>
      noticesOf(incidents).some(({ title }) => /s3 leads, after s2/.test(title)),
    );
    await until('and everything else', () => kindsOf(incidents).filter((kind) => kind === 'target-down').length >= 3);
    const ids = noticesOf(incidents).map(({ id }) => id);
    expect(ids.length - new Set(ids).size).toBe(1);
    const mails = smtp.mails.map(({ raw }) => /^Message-ID: (\S+)/im.exec(raw)?.[1]);
    expect(new Set(mails).size).toBe(mails.length);
  }, 120_000);
});
