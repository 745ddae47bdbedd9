import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askDns, dataOf, type Place } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Answering, type DnsStage, domain, startDnsStage } from '../fixtures/dns-stage.ts';
import { runHsdo } from '../fixtures/hsdo.ts';
import { until } from '../fixtures/until.ts';

const web = `web.${domain}`;
const ask = (place: Place, name: string, type: string, more: readonly string[] = []) =>
  askDns('dig', place, name, type, more);
const ttlsOf = async ({ places }: Answering, name: string) =>
  (await ask(places[0], name, 'A')).answer.map((line) => Number(line.split(' ')[1]));
const words = async ({ places }: Answering, name: string) => (await dataOf(places[0], name, 'TXT')).join('\n');

describeWith(['dig'], 'DNS from the list, in processes of every role', () => {
  let stage: DnsStage;
  const addresses = () => stage.targets.map(({ address }) => address);

  beforeAll(async () => {
    stage = await startDnsStage();
  });
  afterAll(() => stage?.remove());

  it('is answered alike by a server, a client, both in one, and DNS alone, over UDP and TCP on both addresses', async () => {
    await stage.allSay(web, addresses());
    for (const { places } of stage.answering) {
      for (const place of places) {
        for (const more of [[], ['+tcp']]) {
          const { code, flags, answer } = await ask(place, web, 'A', more);
          expect([code, flags.includes('aa')]).toEqual(['NOERROR', true]);
          expect(answer).toEqual(
            addresses()
              .map((address) => `${web}. 20 A ${address}`)
              .sort(),
          );
        }
      }
    }
  });

  it('has addresses of both kinds, ports with the addresses beside them, the state in words, and each slot by itself', async () => {
    const [place] = stage.of('dns').places;
    const [first, second] = stage.targets;
    expect(await dataOf(place, `six.${domain}`, 'AAAA')).toEqual(['2001:db8::6']);
    const srv = await ask(place, web, 'SRV');
    const both = [first, second].map((target, n) => ({ ...target, slot: `slot-${n + 1}.${web}.` }));
    expect(srv.answer).toEqual(both.map(({ port, slot }) => `${web}. 20 SRV 65535 4 ${port} ${slot}`).sort());
    expect(srv.additional).toEqual(both.map(({ address, slot }) => `${slot} 20 A ${address}`));
    expect(await dataOf(place, `_six._tcp.${domain}`, 'SRV')).toEqual([`65528 10 443 slot-1.six.${domain}.`]);
    expect(await dataOf(place, 'WWW.Example.NET', 'A')).toHaveLength(2);
    expect(await words(stage.of('dns'), web)).toContain('"web: 2 of 2 targets serve"');
    expect(await words(stage.of('dns'), `slot-1.${web}`)).toContain(`${first?.address}:${first?.port} up, weight 4`);
  });

  it('says of a name that is not there, and of a type that a name has not, for how long that holds', async () => {
    const [place] = stage.of('client').places;
    const absent = await ask(place, `nothing.${domain}`, 'A');
    expect([absent.code, absent.answer]).toEqual(['NXDOMAIN', []]);
    const empty = await ask(place, web, 'AAAA');
    expect([empty.code, empty.answer]).toEqual(['NOERROR', []]);
    for (const { authority } of [absent, empty]) {
      expect(authority).toHaveLength(1);
      expect(authority[0]).toMatch(
        /^svc\.example\.org\. 5 SOA ns\.svc\.example\.org\. hostmaster\.svc\.example\.org\. /,
      );
    }
    const serial = Number((await dataOf(place, domain, 'SOA'))[0]?.split(' ')[2]);
    expect(Math.abs(serial - Date.now() / 1000)).toBeLessThan(600);
    expect((await ask(place, 'elsewhere.example.com', 'A')).code).toBe('REFUSED');
  });

  it('gives one address where the nearest one answers, and tells people how it answers', async () => {
    for (const { places } of stage.answering) expect(await dataOf(places[0], `near.${domain}`, 'A')).toHaveLength(1);
    for (const { hsdo, places } of stage.answering) {
      const { dns, problems } = await hsdo.status();
      expect(problems.filter(({ part }) => part.includes('DNS'))).toEqual([]);
      expect(dns?.addresses).toContain(`udp [::1]:${places[1].port}`);
      expect(dns?.services.map(({ name }) => name)).toContain('near');
      expect(dns?.transport).toMatch(/^(batch|dgram)$/);
    }
    const { hsdo } = stage.of('dns');
    expect((await hsdo.cli('status')).stdout).toMatch(/dns {5}udp 127\.0\.0\.1:\d+, .*\((batch|dgram.*)\)/);
    expect((await hsdo.cli('service', 'web')).stdout).toContain(`names      ${web}, www.example.net`);
    expect([...(await stage.of('server').hsdo.metric('hsdo_dns_queries_total'))].length).toBeGreaterThan(0);
  });

  it('leaves a killed target out once the checks have noticed, and has it back when it is', async () => {
    const [first, second] = stage.targets;
    await first?.stop();
    await stage.allSay(web, [second?.address ?? '']);
    expect(await words(stage.of('dns'), `slot-1.${web}`)).toContain('down (refused)');
    await first?.start();
    await stage.allSay(web, addresses());
  });

  it('is kept for less time while an observer is missing, and for as long as before when it is back', async () => {
    const [asked, observer] = [stage.of('dns'), stage.of('both').hsdo];
    expect(await ttlsOf(asked, web)).toEqual([20, 20]);
    await observer.kill();
    await until('the time to live falls', async () => (await ttlsOf(asked, web)).join() === '1,1');
    await observer.start();
    await until('it rises', async () => (await ttlsOf(asked, web)).join() === '20,20');
  });

  it('is what the service says when all are down', async () => {
    const [first] = stage.targets;
    for (const target of stage.targets) await target.stop();
    await stage.allSay(`spare.${domain}`, ['192.0.2.7']);
    await stage.allSay(`nobody.${domain}`, []);
    await stage.allSay(`first.${domain}`, [first?.address ?? '']);
    await stage.allSay(`every.${domain}`, addresses());
    const asked = stage.of('dns');
    await until('the panic is told', async () => (await words(asked, web)).includes('panic: no target is up since'));
    await stage.allSay(web, addresses());
    expect(await ttlsOf(asked, `spare.${domain}`)).toEqual([9]);
    for (const target of stage.targets) await target.start();
    await stage.allSay(`spare.${domain}`, addresses());
    await stage.allSay(`nobody.${domain}`, addresses());
  });

  it('goes on when the servers are dead and the store is away, also after a restart, and says for how long', async () => {
    const { hsdo, places } = stage.of('dns');
    for (const role of ['server', 'both'] as const) await stage.of(role).hsdo.kill();
    await stage.takeStoreAway();
    expect((await dataOf(places[0], web, 'A')).sort()).toEqual(addresses().sort());
    await hsdo.kill();
    await hsdo.start();
    expect((await dataOf(places[0], web, 'A')).sort()).toEqual(addresses().sort());
    expect(hsdo.log()).toContain('names are answered from the list on disk');
    await until(
      'it says that the store is silent',
      async () => (await words(stage.of('dns'), web)).includes('the store is silent since'),
      { timeoutMs: 30_000 },
    );
    expect((await hsdo.cli('status')).stdout).toContain('answered from the last list, the store has been silent for');
    await stage.bringStoreBack();
    await until(
      'it has its word again',
      async () => !(await words(stage.of('dns'), web)).includes('the store is silent since'),
      { timeoutMs: 30_000 },
    );
    for (const role of ['server', 'both'] as const) await stage.of(role).hsdo.start();
    await stage.allSay(web, addresses());
  });

  it('is refused to a process whose address another one has, before anything else begins', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hsdo-taken-'));
    const file = join(folder, 'env.yaml');
    await writeFile(
      file,
      JSON.stringify({ ...stage.configOf('client'), stateDirectory: folder, exporter: { listen: 'off' } }),
    );
    for (const roles of [['--dns'], ['--client', '--dns'], ['--server', '--dns']]) {
      const { code, stderr } = await runHsdo([...roles, '--config', file], { cwd: folder });
      expect([code, stderr]).toEqual([78, expect.stringContaining('EADDRINUSE')]);
      expect(stderr).toContain(`127.0.0.1:${stage.of('client').places[0].port}`);
    }
    await rm(folder, { recursive: true });
  });

  it('ends with its process, at once and without a complaint', async () => {
    const { hsdo, places } = stage.of('dns');
    expect(await hsdo.stop()).toBe(0);
    expect(hsdo.log()).toContain('hsdo stopped');
    await expect(ask(places[0], web, 'A')).rejects.toThrow('got no answer');
    await hsdo.start();
    await stage.allSay(web, addresses());
  });
});
