import { startHsdoDns } from './dns/hsdo.ts';
import { versionCount } from './dns/versions.ts';
import { zoneOf } from './dns/zone.ts';
import { dnsContest, faultNotes, latencyFigures, rateRatio, saturatedFigures, wrongReplies } from './dns-contest.ts';
import { figure, promise, type Section } from './figures.ts';

const perSecond = 10_000;

/** How answers fare while the main thread of hsdo has something else to do. */
export async function dnsBusy(): Promise<Section> {
  const zone = zoneOf(100, 1);
  const busy = (transport: 'batch' | 'dgram') => ({
    asked: zone,
    isAccomplice: true,
    start: () => startHsdoDns({ zone, transport, deed: 'work' }),
  });
  const contestants = { batch: busy('batch'), dgram: busy('dgram') };
  // Long slices, so that each has the work in it as often as it comes.
  const [paced] = await dnsContest(contestants, [{ perSecond, slices: 1, sliceSeconds: 3 }]);
  if (paced === undefined) throw new Error('the generator left a load out');
  const figures = (['batch', 'dgram'] as const).flatMap((name) => {
    const [half, most] = latencyFigures(`hsdo ${name}`, paced[name]);
    return [half, promise(most, 'below 2000', (us) => us < 2000)];
  });
  return {
    name: 'dns-busy',
    title: `DNS at ${perSecond} questions a second while the main thread of hsdo works 30 ms in every 300 ms`,
    figures,
    ratios: [],
    notes: [...faultNotes('busy', paced), 'Both threads of hsdo on core 0, the generator on core 1.'],
  };
}

/** What it costs to replace the whole table again and again, and whether anybody gets a wrong answer of it. */
export async function dnsSwap(): Promise<Section> {
  const zone = zoneOf(10_000, 1);
  const start = () => startHsdoDns({ zone, transport: 'batch', deed: 'swap' });
  const common = { asked: zone, start, versions: versionCount };
  const contestants = { swapped: { ...common, isAccomplice: true }, still: common };
  const [full, paced] = await dnsContest(contestants, [
    { slices: 2, sliceSeconds: 1 },
    { slices: 2, sliceSeconds: 1, perSecond },
  ]);
  if (full === undefined || paced === undefined) throw new Error('the generator left a load out');
  const wrong = wrongReplies([...full.swapped, ...paced.swapped]);
  const swaps = [...full.swapped, ...paced.swapped].map(({ newVersions }) => newVersions);
  return {
    name: 'dns-swap',
    title: 'DNS over UDP while all of 10,000 services are replaced four times a second',
    figures: [
      ...(['swapped', 'still'] as const).flatMap((name) => [
        ...saturatedFigures(name, full[name]),
        ...latencyFigures(`${name} at ${perSecond}/s`, paced[name]),
      ]),
      figure('tables seen in two seconds', '', swaps),
      promise(figure('wrong replies while swapped', '', [wrong]), 'none', (count) => count === 0),
    ],
    ratios: [rateRatio('swapped against still', full.swapped, full.still, 0.9)],
    notes: [
      ...faultNotes('saturated', full),
      ...faultNotes(`at ${perSecond}/s`, paced),
      'Each service is a chapter of its own, swapped for itself; with each table all addresses change. Compiled before; sending and installing count.',
      'Both threads of hsdo on core 0, the generator on core 1.',
    ],
  };
}
