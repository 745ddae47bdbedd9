import { expect, it } from 'vitest';
import { type TestAgent, testAgent } from '../fixtures/agent-reports.ts';
import { askDns, dataOf } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { startExample } from '../fixtures/examples.ts';
import { freePort } from '../fixtures/ports.ts';
import { startTargets } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

describeWith(['dig'], 'the example of PyFailoverDNS with its agents, run as it stands', () => {
  it('gives what the server or an agent reaches, and the fallback for 30 s when nobody reaches any', async () => {
    const targets = await startTargets(2);
    const [agentPort, dnsPort] = [await freePort(), await freePort()];
    const [one, two] = targets;
    const replacements = {
      '10.10.10.250:443': `${one?.address}:${one?.port}`,
      '10.10.10.251:443': `${two?.address}:${two?.port}`,
      'intervalSeconds: 30': 'intervalSeconds: 0.2',
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
    const report = (agent: TestAgent, of: typeof one, status: 'ok' | 'fail') =>
      agent.report({ domain: name, address: of?.address ?? '', port: of?.port ?? 0 }, status);
    try {
      await has([one?.address, two?.address]);
      const agent = testAgent(agentPort, 'example', 'secret_token');
      expect((await agent.get('/api/v1/tasks?tags=test')).body['tasks']).toHaveLength(2);
      expect((await agent.get('/api/v1/tasks?tags=other')).body['tasks']).toEqual([]);
      for (const target of targets) expect((await report(agent, target, 'ok')).code).toBe(200);
      await one?.stop();
      await two?.stop();
      // The server reaches neither any more; the agent does, and one is enough.
      await until('the server says no', async () =>
        (await example.detail()).targets.every(({ health }) => health?.isInDoubt),
      );
      await has([one?.address, two?.address]);
      await report(agent, one, 'fail');
      await has([two?.address]);
      await report(agent, two, 'fail');
      await has(['10.10.10.254']);
      expect((await askDns('dig', place, name, 'A')).answer).toEqual([`${name}. 30 A 10.10.10.254`]);
      expect((await agent.get(`/api/v1/status/${name}`)).body).toMatchObject({ live: false, check_type: 'tcp' });
      await report(agent, two, 'ok');
      await has([two?.address]);
    } finally {
      await example.remove();
      for (const target of targets) await target.stop();
    }
  });
});
