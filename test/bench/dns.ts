import { startHsdoDns } from './dns/hsdo.ts';
import { startDnsmasq, startGdnsd, startNsd } from './dns/servers.ts';
import { zoneOf } from './dns/zone.ts';
import { dnsContest, faultNotes, latencyFigures, rateRatio, saturatedFigures } from './dns-contest.ts';
import type { Section } from './figures.ts';

const perSecond = 10_000;

/** hsdo's two transports beside name servers of Debian: how much they answer, what it costs and how long it takes. */
async function speed(head: Pick<Section, 'name' | 'title'>, addresses: number, hasEdns: boolean): Promise<Section> {
  const zone = zoneOf(100, addresses);
  const common = { asked: zone, hasEdns };
  const contestants = {
    'hsdo batch': { ...common, start: () => startHsdoDns({ zone, transport: 'batch' }) },
    'hsdo dgram': { ...common, start: () => startHsdoDns({ zone, transport: 'dgram' }) },
    gdnsd: { ...common, start: () => startGdnsd(zone) },
    NSD: { ...common, start: () => startNsd(zone) },
    dnsmasq: { ...common, start: () => startDnsmasq(zone) },
  };
  const names = Object.keys(contestants) as (keyof typeof contestants)[];
  const [full, paced] = await dnsContest(contestants, [{}, { perSecond }]);
  if (full === undefined || paced === undefined) throw new Error('the generator left a load out');
  return {
    ...head,
    figures: names.flatMap((name) => [
      ...saturatedFigures(name, full[name]),
      ...latencyFigures(`${name} at ${perSecond}/s`, paced[name]),
    ]),
    ratios: [
      rateRatio('hsdo batch against gdnsd', full['hsdo batch'], full.gdnsd, 0.9),
      rateRatio('hsdo batch against NSD', full['hsdo batch'], full.NSD, 1.2),
      rateRatio('hsdo dgram against dnsmasq', full['hsdo dgram'], full.dnsmasq, 0.7),
    ],
    notes: [
      ...faultNotes('saturated', full),
      ...faultNotes(`at ${perSecond}/s`, paced),
      'All servers on core 0, the generator on core 1: 128 questions under way over 8 sockets, every reply looked at.',
      'Five rounds; in each, every server has ten slices of 0.2 s, in an order drawn anew, so that all meet the same machine.',
    ],
  };
}

/** The plain case: one address for each name. */
export function dnsPlain(): Promise<Section> {
  return speed({ name: 'dns', title: 'DNS over UDP, 100 names with one address each' }, 1, false);
}

/** The usual case of several targets: gdnsd answers by its plug-in multifo. NSD gives them out in one order. */
export function dnsRotated(): Promise<Section> {
  const title = 'DNS over UDP, 100 names with four addresses each that take turns, EDNS in every question';
  return speed({ name: 'dns-rotated', title }, 4, true);
}
