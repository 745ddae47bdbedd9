import { expect, it } from 'vitest';
import { testAgent } from '../fixtures/agent-reports.ts';
import { askDns, dataOf } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { startExample } from '../fixtures/examples.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

describeWith(['dig'], 'the example of PyFailoverDNS with its agents, run as it stands', () => {
  it('gives what an agent reaches, and the fallback for 30 s when none reaches any or all are silent', async () => {
    const targets = await startTargets(2);
    const [agentPort, dnsPort] = [await freePort(), await freePort()];
    const [one, two] = targets;
    const replacements = {
      '10.10.10.250:443': `${one?.address}:${one?.port}`,
      '10.10.10.251:443': `${two?.address}:${two?.port}`,
      'intervalSeconds: 30': 'intervalSeconds: 0.2',
      'freshSeconds: 60': 'freshSeconds: 8',
      '0.0.0.0:8053': `127.0.0.1:${dnsPort}`,
      '0.0.0.0:8000': `127.0.0.1:${agentPort}`,
    };
    const example = await startExample('pyfailoverdns', { replacements });
    const [place, name] = [{ host: '127.0.0.1', port: dnsPort }, 'webmail.failover'];
    const has = (addresses: readonly (string | undefined)[]) =>
      until(`it is ${addresses.join()}`, async () => {
        const answers = await dataOf(place, name, 'A');
        return answers.length === addresses.length && addresses.every((one) => answers.includes(one ?? ''));
      });
    const agent = testAgent(agentPort, 'example', 'secret_token');
    const say = async (status: readonly ('ok' | 'fail')[]) => {
      for (const [n, target] of targets.entries()) {
        const place = { domain: name, address: target.address, port: target.port };
        expect((await agent.report(place, status[n] ?? 'fail')).code).toBe(200);
      }
    };
    try {
      expect((await agent.get('/api/v1/tasks?tags=test')).body['tasks']).toHaveLength(2);
      expect((await agent.get('/api/v1/tasks?tags=other')).body['tasks']).toEqual([]);
      // Nobody listens there any more, which the server would find out if it asked.
      for (const target of targets) await target.stop();
      await say(['ok', 'ok']);
      await has([one?.address, two?.address]);
      expect((await example.detail()).observers.map(({ id }) => id)).toEqual(['example']);
      await say(['fail', 'ok']);
      await has([two?.address]);
      await say(['fail', 'fail']);
      await has(['10.10.10.254']);
      expect((await askDns('dig', place, name, 'A')).answer).toEqual([`${name}. 30 A 10.10.10.254`]);
      const { body: detail } = await agent.get(`/api/v1/status/${name}`);
      expect(detail).toMatchObject({ live: false, check_type: 'tcp', fallback_ips: ['10.10.10.254'] });
      const { address = '', port = 0 } = one ?? {};
      const reported = { agent_id: 'example', domain: name, type: 'tcp', target_ip: address, port, status: 'fail' };
      const said = { ...reported, check_name: `${name}:${address}:${port}`, latency_ms: null, reason: null };
      expect(detail['ip_checks']).toMatchObject({
        [address]: { example: said },
        [two?.address ?? '']: { example: {} },
      });
      await say(['fail', 'ok']);
      await has([two?.address]);
      // The last one leaves by time-out: nobody is left to say no, and that is a no.
      await has(['10.10.10.254']);
      expect((await example.detail()).observers).toEqual([]);
      expect([...(await example.hsdo.metric('hsdo_check_probes_total')).values()]).toEqual([]);
    } finally {
      await example.remove();
      for (const target of targets) await target.stop();
    }
  });
});
