import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { type Cloudflare, startCloudflare } from '../fixtures/cloudflare.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Etcd, startEtcd } from '../fixtures/etcd.ts';
import { type RunningExample, startExample } from '../fixtures/examples.ts';
import { type SmtpSink, startSmtpSink } from '../fixtures/smtp-sink.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { startTelegram, type Telegram } from '../fixtures/telegram.ts';
import { until } from '../fixtures/until.ts';

const [intervalMs, stableMs, chat] = [1000, 4000, 7];

describeWith(
  ['etcd', 'openssl'],
  'the quick start of dhaf on three machines, etcd, Cloudflare, mail and Telegram',
  () => {
    let [etcd, cloudflare, mail, telegram]: [Etcd?, Cloudflare?, SmtpSink?, Telegram?] = [];
    let certificates: Certificates | undefined;
    let targets: TestTarget[] = [];
    const nodes: RunningExample[] = [];

    beforeAll(async () => {
      certificates = await makeCertificates();
      [etcd, cloudflare, telegram] = await Promise.all([startEtcd(), startCloudflare('foo.com'), startTelegram()]);
      mail = await startSmtpSink({ tls: certificates.good, user: 'hsdo' });
      targets = await startTargets(2);
      const [one, two] = targets;
      const replacements = {
        'address: 192.0.2.10, port: 80': `address: ${one?.address}, port: ${one?.port}`,
        'address: 192.0.2.20, port: 80': `address: ${two?.address}, port: ${two?.port}`,
        '"http://192.0.2.1:2379", "http://192.0.2.2:2379", "http://192.0.2.3:2379"': JSON.stringify(
          etcd.endpoints,
        ).slice(1, -1),
        'zone: foo.com': `zone: foo.com\n      baseUrl: ${cloudflare.baseUrl}`,
        'server: smtp.foo.com, port: 587': `server: 127.0.0.1, port: ${mail.port}, ca: ${certificates.caFile}`,
        'kind: telegram': `kind: telegram\n    baseUrl: ${telegram.url}\n    groupSeconds: 0.2`,
        'to: ops@foo.com': 'to: ops@foo.com\n    groupSeconds: 0.2',
        'intervalSeconds: 10': `intervalSeconds: ${intervalMs / 1000}`,
        'failbackSeconds: 60': `failbackSeconds: ${stableMs / 1000}`,
        'heartbeatSeconds: 5': 'heartbeatSeconds: 0.5',
        'nodeTtlSeconds: 30': 'nodeTtlSeconds: 3',
        'leaseTtlSeconds: 10': 'leaseTtlSeconds: 2',
      };
      const env = { CLOUDFLARE_TOKEN: cloudflare.token, SMTP_PASSWORD: 'right' };
      for (const nodeId of ['node-1', 'node-2', 'node-3']) {
        nodes.push(await startExample('dhaf', { nodeId, replacements, env }));
      }
    });
    afterAll(async () => {
      for (const node of nodes) await node.remove();
      for (const target of targets) await target.stop();
      await Promise.all([etcd?.stop(), cloudflare?.stop(), mail?.stop(), telegram?.stop()]);
      await certificates?.remove();
    });

    const addressOf = (n: number) => targets[n]?.address ?? '';
    /** Resolves with how long it took, milliseconds. */
    async function pointsAt(n: number, timeoutMs = 30_000): Promise<number> {
      const startedAt = performance.now();
      const wanted = [`A ${addressOf(n)} proxied`];
      const isThere = () => JSON.stringify(cloudflare?.shown('foo.com')) === JSON.stringify(wanted);
      await until(`the record says ${wanted.join()}`, isThere, { timeoutMs, everyMs: 20 });
      return performance.now() - startedAt;
    }
    const told = (words: RegExp) =>
      until(`everybody was told ${words}`, () => {
        const mails = (mail?.mails ?? []).filter(({ raw }) => words.test(raw.replaceAll(/=\r\n/g, '')));
        const texts = (telegram?.delivered ?? []).filter((one) => one.chat === chat && words.test(one.text));
        if (mails.length > 0 && texts.length > 0) return true;
        const [last, said] = [mail?.mails.at(-1)?.raw, telegram?.delivered.at(-1)?.text];
        throw new Error(`mail ${mails.length}, Telegram ${texts.length}; last ${last} and ${said}`);
      });
    const nodeOf = (isLeader: boolean) =>
      until('somebody leads', async () => {
        const views = await Promise.all(nodes.map(({ hsdo }) => hsdo.status()));
        return nodes.find((_, n) => (views[n]?.lease?.state === 'leader') === isLeader);
      });

    it('creates the record, and lets a chat in that knows the code', async () => {
      await pointsAt(0);
      telegram?.write(chat, '/start wrong');
      telegram?.write(chat, '/start let-me-in');
      await until(
        'the chat is let in',
        () => (telegram?.delivered ?? []).filter((one) => one.chat === chat).length > 1,
      );
      const all = async () => (await (await nodeOf(true)).detail()).targets.every(({ votes }) => votes.length === 3);
      await until('all three vote', all, { timeoutMs: 30_000 });
    });

    it('fails over within an interval and two seconds, goes back after the stable time, and tells of both', async () => {
      await targets[0]?.stop();
      expect(await pointsAt(1)).toBeLessThan(intervalMs + 2000);
      await told(/failover/i);
      await targets[0]?.start();
      expect(await pointsAt(0)).toBeGreaterThan(stableMs - intervalMs);
      await told(/switching/i);
    });

    it('switches over by hand, keeps to that over the death of the leader, and goes back when it is purged', async () => {
      const leader = await nodeOf(true);
      const other = await nodeOf(false);
      const candidates = await other.hsdo.cli('candidates', 'main');
      expect([candidates.code, candidates.stdout]).toEqual([0, expect.stringMatching(/ep-2/)]);
      const asked = await other.hsdo.cli('switchover', 'main', 'ep-2');
      expect(asked).toMatchObject({ code: 0 });
      await pointsAt(1);
      await told(/switchover/i);
      await leader.hsdo.kill();
      await told(/leads, after/);
      const writes = () => cloudflare?.asked().filter((one) => !one.startsWith('GET')) ?? [];
      writes();
      expect(await other.hsdo.cli('purge', 'main')).toMatchObject({ code: 0 });
      await pointsAt(0);
      expect(writes()).toHaveLength(1);
      await told(/switchover to ep-2 has ended/);
    });
  },
);
