import type { DnsUpstreamView } from '../../api/view.ts';
import type { DnsCounts } from '../../deliver/dns/protocol.ts';
import type { Clock } from '../../time/clock.ts';

/** What the thread that answers counted of late, for people. */
export interface DnsFigures {
  note(counts: DnsCounts): void;
  /** Over the last ten seconds. */
  queriesPerSecond(): number;
  /** Names that can be asked for, at the last report. */
  names(): number;
  /** Servers that were asked within the last minute. */
  upstreams(): readonly DnsUpstreamView[];
}

interface Report {
  readonly atMs: number;
  readonly queries: number;
  readonly upstream: DnsCounts['upstream'];
}

const rateMs = 10_000;
const keptMs = 60_000;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** `queriesPerSecond` begins to be right after the first ten seconds: until then what is missing counts as silence. */
export function createDnsFigures(clock: Pick<Clock, 'monotonic'>): DnsFigures {
  let reports: readonly Report[] = [];
  let names = 0;
  const since = (ms: number) => reports.filter(({ atMs }) => clock.monotonic() - atMs < ms);
  return {
    note(counts) {
      const queries = sum(Object.values(counts.queries));
      const report = { atMs: clock.monotonic(), queries, upstream: counts.upstream };
      reports = [...since(keptMs), report];
      names = counts.names;
    },
    queriesPerSecond: () => sum(since(rateMs).map(({ queries }) => queries)) / (rateMs / 1000),
    names: () => names,
    upstreams: () => upstreamsOf(since(keptMs)),
  };
}

function upstreamsOf(reports: readonly Report[]): readonly DnsUpstreamView[] {
  const views = new Map<string, DnsUpstreamView>();
  for (const { upstream } of reports) {
    const said = new Map<string, { answers: number; failures: number }>();
    for (const [key, count] of Object.entries(upstream)) {
      const [server = '', outcome] = key.split(' ');
      const now = said.get(server) ?? { answers: 0, failures: 0 };
      now[outcome === 'answer' ? 'answers' : 'failures'] += count;
      said.set(server, now);
    }
    for (const [server, { answers, failures }] of said) {
      if (answers + failures === 0) continue;
      const before = views.get(server);
      views.set(server, {
        server,
        answers: answers + (before?.answers ?? 0),
        failures: failures + (before?.failures ?? 0),
        isUp: answers > 0,
      });
    }
  }
  return [...views.values()].sort((a, b) => a.server.localeCompare(b.server));
}
