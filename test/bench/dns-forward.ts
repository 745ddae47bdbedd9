import { startHsdoDns } from './dns/hsdo.ts';
import { generatorCore, startForwardingDnsmasq, startNsd } from './dns/servers.ts';
import { zoneOf } from './dns/zone.ts';
import { dnsContest, faultNotes, latencyFigures, rateRatio, saturatedFigures } from './dns-contest.ts';
import type { Section } from './figures.ts';

const perSecond = 10_000;

/** Questions that another server has to be asked for, without a cache. */
export async function dnsForward(): Promise<Section> {
  // So many names that none is asked for twice at once: both would ask the other server only once.
  const asked = zoneOf(1000, 1);
  const own = { ...zoneOf(1, 1), domain: 'own.example', names: [{ name: 'a.own.example', addresses: ['10.0.0.1'] }] };
  const upstream = await startNsd(asked, generatorCore);
  try {
    const forwardTo = upstream.port;
    const hsdo = (transport: 'batch' | 'dgram') => ({
      asked,
      start: () => startHsdoDns({ zone: own, asked, transport, forwardTo }),
    });
    const contestants = {
      'hsdo batch': hsdo('batch'),
      'hsdo dgram': hsdo('dgram'),
      dnsmasq: { asked, start: () => startForwardingDnsmasq(asked, forwardTo) },
    };
    const names = Object.keys(contestants) as (keyof typeof contestants)[];
    const [full, paced] = await dnsContest(contestants, [{ sleeps: true }, { sleeps: true, perSecond }]);
    if (full === undefined || paced === undefined) throw new Error('the generator left a load out');
    return {
      name: 'dns-forward',
      title: 'DNS over UDP, forwarded without a cache',
      figures: names.flatMap((name) => [
        ...saturatedFigures(name, full[name]),
        ...latencyFigures(`${name} at ${perSecond}/s`, paced[name]),
      ]),
      ratios: [
        rateRatio('hsdo batch against dnsmasq', full['hsdo batch'], full.dnsmasq, 1.5),
        rateRatio('hsdo dgram against dnsmasq', full['hsdo dgram'], full.dnsmasq),
      ],
      notes: [
        ...faultNotes('saturated', full),
        ...faultNotes(`at ${perSecond}/s`, paced),
        'The servers on core 0; the generator and the server that is asked, NSD, on core 1.',
      ],
    };
  } finally {
    await upstream.stop();
  }
}
