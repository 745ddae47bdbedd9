import { html } from 'htm/preact';
import { render } from 'preact';
import type { CandidatesView } from '../../api/cluster-view.ts';
import type { Frame } from '../../api/live.ts';
import { pageClock } from '../../time/page-clock.ts';
import { app, newsIn, titleOf } from './app.ts';
import { type Connection, follow } from './feed.ts';
import { ask, change, keepToken, refusalOf, storedToken, type Wish } from './session.ts';
import type { Deeds, Question, Seen } from './state.ts';

const place = document.querySelector('#page');
if (place === null) throw new Error('the page has no element "page" to be shown in');
place.replaceChildren();

const always = new AbortController().signal;
let seen: Seen = { frame: {}, connection: 'connecting', mayChange: false, isBusy: false, showsAllEvents: false };
let following = new AbortController();

const draw = () => {
  const { frame, receivedAt } = seen;
  const now = (frame.at ?? pageClock.now()) + (receivedAt === undefined ? 0 : pageClock.monotonic() - receivedAt);
  document.title = titleOf(frame);
  render(html`${app({ seen, deeds, now })}`, place);
};

const set = (news: Partial<Seen>) => {
  seen = { ...seen, ...news };
  draw();
};

/** Leaves a member out, as an optional one has no value "undefined". */
function without<K extends keyof Seen>(...names: readonly K[]): void {
  const left = Object.entries(seen).filter(([name]) => !(names as readonly string[]).includes(name));
  seen = Object.fromEntries(left) as unknown as Seen;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** When rights were asked for last, on the monotonic clock; absent once they are known. */
let rightsAskedAt: number | undefined;
const rightsAgainMs = 5000;

/** Only who may change something may read who changed what, so that this answers without changing anything. */
async function learnRights(): Promise<void> {
  rightsAskedAt = pageClock.monotonic();
  const token = storedToken();
  const answer = await ask('audit?limit=1', AbortSignal.timeout(10_000)).catch(() => undefined);
  if (storedToken() !== token) return;
  // Anything else, as while the store is away, tells nothing about who asks.
  if (answer !== undefined && [200, 401, 403, 409].includes(answer.status)) rightsAskedAt = undefined;
  set({ mayChange: answer?.ok === true });
}

const takeFrame = (news: Partial<Frame>, isWhole: boolean) => {
  const { nodes, events } = seen.frame;
  // The store may be away just now: what it told before is better than nothing.
  const kept = { ...(nodes ? { nodes } : {}), ...(events ? { events } : {}) };
  const frame = { ...(isWhole ? kept : seen.frame), ...news };
  const notice = newsIn(seen.frame, frame);
  if (rightsAskedAt !== undefined && pageClock.monotonic() - rightsAskedAt > rightsAgainMs) void learnRights();
  set({ frame, receivedAt: pageClock.monotonic(), ...(notice === undefined ? {} : { notice }) });
};

const takeConnection = (connection: Connection, why?: string) => {
  const was = seen.connection;
  if (was === connection && seen.why === why) return;
  without('why');
  const isNew = was !== connection;
  const said = isNew && connection === 'lost' ? { notice: 'Disconnected' } : {};
  const back = isNew && was === 'lost' && connection === 'live' ? { notice: 'Connected again' } : {};
  set({ connection, ...(why === undefined ? {} : { why }), ...said, ...back });
  if (connection === 'locked' && seen.question === undefined) {
    const refusal = storedToken() !== undefined && why !== undefined ? { refusal: why } : {};
    set({ question: { kind: 'token' }, mayChange: false, ...refusal });
  }
  if (isNew && (connection === 'live' || connection === 'polling')) void learnRights();
};

/** Follows what the address of the page names. */
function restart(): void {
  following.abort();
  following = new AbortController();
  const [, encoded] = /^#\/service\/([^/]+)$/.exec(location.hash) ?? [];
  let service: string | undefined;
  try {
    service = encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    // A percent sign that begins nothing: no service can be called so.
  }
  const isKnown = service === undefined || (seen.frame.services?.some(({ name }) => name === service) ?? true);
  without('service');
  set(service === undefined ? { showsAllEvents: false } : { service, showsAllEvents: false });
  const { signal } = following;
  const onlyNow =
    <A extends readonly unknown[]>(take: (...args: A) => void) =>
    (...args: A) => {
      if (!signal.aborted) take(...args);
    };
  const events = { onFrame: onlyNow(takeFrame), onConnection: onlyNow(takeConnection) };
  void follow(isKnown ? service : undefined, events, signal);
}

const deeds: Deeds = {
  open(question: Question) {
    without('refusal');
    set({ question, isBusy: false });
  },
  close() {
    without('question', 'refusal');
    draw();
  },
  wish(wish: Wish, done: string) {
    without('refusal');
    set({ isBusy: true });
    const asked = seen.question;
    const honour = async () => {
      const refusal = await change(wish).then(() => undefined, reasonOf);
      // Whoever has closed the question meanwhile, or opened another one, is told beside it.
      if (seen.question !== asked) return set({ notice: refusal ?? done });
      if (refusal !== undefined) return set({ isBusy: false, refusal });
      without('question');
      set({ isBusy: false, notice: done });
    };
    void honour();
  },
  openSwitchover(service) {
    const asked = { kind: 'switchover', service } as const;
    deeds.open(asked);
    const fetchCandidates = async () => {
      try {
        const answer = await ask(`services/${encodeURIComponent(service)}/candidates`, AbortSignal.timeout(10_000));
        if (!answer.ok) throw new Error(await refusalOf(answer));
        const { candidates, active } = (await answer.json()) as CandidatesView;
        const others = candidates.filter(({ id }) => id !== active);
        if (seen.question === asked) set({ question: { ...asked, candidates: others } });
      } catch (error) {
        if (seen.question === asked) set({ refusal: reasonOf(error) });
      }
    };
    void fetchCandidates();
  },
  useToken(token) {
    keepToken(token);
    without('question', 'refusal', 'receivedAt');
    set({ frame: {}, mayChange: false, connection: 'connecting' });
    restart();
  },
  showAllEvents: () => set({ showsAllEvents: true }),
};

window.addEventListener('hashchange', () => {
  restart();
  window.scrollTo(0, 0);
  // Who hears the page learns by the heading where the link has led.
  document.querySelector<HTMLElement>('#shown')?.focus({ preventScroll: true });
});
restart();
// Ages grow although nothing comes.
for (;;) {
  await pageClock.sleep(1000, always);
  if (seen.connection !== 'live') draw();
}
