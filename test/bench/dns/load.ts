import type { Lane } from './lane.ts';
import { packetRoom } from './lane.ts';
import { libc, takeMemory } from './libc.ts';
import { type Finding, lookAtReply, type Question } from './question-set.ts';

/** Questions under way at once when the server is to be kept busy, over all lanes. */
export const outstandingInAll = 128;
const lostAfterMs = 500;
const lookForLostEveryMs = 50;
const idCount = 65_536;

export interface LoadOptions {
  readonly lanes: readonly Lane[];
  readonly questions: readonly Question[];
  /** As in LoadTarget. */
  readonly versions: number;
  /** Undefined: {@link outstandingInAll} at any time. */
  readonly perSecond: number | undefined;
  readonly sleeps: boolean;
  readonly seconds: number;
}

/** What one or several runs came to. */
export interface Tally {
  seconds: number;
  lost: number;
  readonly faults: Record<string, number>;
  /** Of every right reply. */
  readonly latencyUs: number[];
  readonly firsts: number[];
  /** How often a version came that was newer than any before. */
  newVersions: number;
}

/** Questions that wait for a reply, by id. */
interface Waiting {
  /** 0: nobody uses this id. */
  readonly sentAt: Float64Array;
  readonly question: Uint32Array;
  readonly lane: Uint8Array;
  /** By lane. */
  readonly counts: number[];
  nextId: number;
  nextQuestion: number;
}

interface Run {
  readonly options: LoadOptions;
  readonly waiting: Waiting;
  readonly tally: Tally;
  readonly finding: Finding;
  /** By lane and question, since each service is swapped for itself: the last version; -1 before the first reply. */
  readonly version: Int16Array;
  newest: number;
}

export function emptyTally(): Tally {
  return { seconds: 0, lost: 0, faults: {}, latencyUs: [], firsts: [0, 0, 0, 0], newVersions: 0 };
}

function startRun(options: LoadOptions, tally: Tally): Run {
  return {
    options,
    tally,
    waiting: {
      sentAt: new Float64Array(idCount),
      question: new Uint32Array(idCount),
      lane: new Uint8Array(idCount),
      counts: options.lanes.map(() => 0),
      nextId: Math.floor(Math.random() * idCount),
      nextQuestion: 0,
    },
    finding: { fault: '', first: 0, version: 0 },
    version: new Int16Array(options.lanes.length * options.questions.length).fill(-1),
    newest: -1,
  };
}

/** Sends the next questions on a lane, each with an id that is not in use. */
function ask({ options, waiting }: Run, laneNumber: number, count: number, now: number): void {
  const lane = options.lanes[laneNumber] as Lane;
  const { bytes } = lane.outgoing;
  for (let position = 0; position < count; position += 1) {
    while (waiting.sentAt[waiting.nextId] !== 0) waiting.nextId = (waiting.nextId + 1) % idCount;
    const id = waiting.nextId;
    const question = options.questions[waiting.nextQuestion] as Question;
    const base = position * question.packet.length;
    bytes[base] = id >> 8;
    bytes[base + 1] = id & 0xff;
    for (let at = 2; at < question.packet.length; at += 1) bytes[base + at] = question.packet[at] as number;
    waiting.sentAt[id] = now;
    waiting.question[id] = waiting.nextQuestion;
    waiting.lane[id] = laneNumber;
    waiting.nextId = (id + 1) % idCount;
    waiting.nextQuestion = (waiting.nextQuestion + 1) % options.questions.length;
  }
  waiting.counts[laneNumber] = (waiting.counts[laneNumber] ?? 0) + count;
  lane.send(count);
}

function blame({ faults }: Tally, fault: string): void {
  faults[fault] = (faults[fault] ?? 0) + 1;
}

const isNewer = (version: number, before: number, versions: number) =>
  version !== before && (version - before + versions) % versions <= versions / 2;

/** The version of one question may only be the same as before or one of the half that comes after it. */
function noteVersion(run: Run, laneNumber: number, question: number): void {
  const { options, tally, finding, version } = run;
  const place = laneNumber * options.questions.length + question;
  const before = version[place] as number;
  version[place] = finding.version;
  if (before >= 0 && before !== finding.version && !isNewer(finding.version, before, options.versions))
    blame(tally, 'older than before');
  if (run.newest >= 0 && !isNewer(finding.version, run.newest, options.versions)) return;
  if (run.newest >= 0) tally.newVersions += 1;
  run.newest = finding.version;
}

/** Looks at one reply; true when a question that was waiting has it now. */
function take(run: Run, laneNumber: number, position: number, now: number): boolean {
  const { options, waiting, tally, finding } = run;
  const lane = options.lanes[laneNumber] as Lane;
  const { bytes } = lane.incoming;
  const [start, length] = [position * packetRoom, lane.lengthOf(position)];
  const id = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
  const sentAt = waiting.sentAt[id] as number;
  if (length < 12 || sentAt === 0 || waiting.lane[id] !== laneNumber) {
    blame(tally, 'id');
    return false;
  }
  const number = waiting.question[id] as number;
  const question = options.questions[number] as Question;
  waiting.sentAt[id] = 0;
  waiting.counts[laneNumber] = (waiting.counts[laneNumber] ?? 0) - 1;
  lookAtReply(bytes, start, length, question, options.versions > 0, finding);
  if (finding.fault !== '') {
    blame(tally, finding.fault);
    return true;
  }
  tally.latencyUs.push((now - sentAt) * 1000);
  tally.firsts[finding.first] = (tally.firsts[finding.first] ?? 0) + 1;
  if (options.versions > 0) noteVersion(run, laneNumber, number);
  return true;
}

/** Reads what has come on a lane; gives how many questions have their reply now. */
function collect(run: Run, laneNumber: number): number {
  const count = (run.options.lanes[laneNumber] as Lane).receive();
  if (count === 0) return 0;
  const now = performance.now();
  let settled = 0;
  for (let position = 0; position < count; position += 1) if (take(run, laneNumber, position, now)) settled += 1;
  return settled;
}

/** Gives up on questions that wait for too long; their lanes may ask again. */
function giveUp({ waiting, tally }: Run, olderThan: number): void {
  for (let id = 0; id < idCount; id += 1) {
    const sentAt = waiting.sentAt[id] as number;
    if (sentAt === 0 || sentAt >= olderThan) continue;
    waiting.sentAt[id] = 0;
    const lane = waiting.lane[id] as number;
    waiting.counts[lane] = (waiting.counts[lane] ?? 0) - 1;
    tally.lost += 1;
  }
}

/** Waits for at most a millisecond until a lane has something to read. */
function sleeper(lanes: readonly Lane[]): () => void {
  const memory = takeMemory(lanes.length * 8);
  // struct pollfd: fd, events (POLLIN), revents.
  lanes.forEach(({ fd }, number) => {
    memory.words[number * 2] = fd;
    memory.words[number * 2 + 1] = 1;
  });
  return () => void libc.poll(memory.at, lanes.length, 1);
}

/** As many as the server takes: every reply is followed by a question on the same lane. */
function saturate(run: Run, endAt: number, sleep: () => void): void {
  const { lanes, sleeps } = run.options;
  const share = outstandingInAll / lanes.length;
  let lookForLostAt = 0;
  for (let now = performance.now(); now < endAt; now = performance.now()) {
    let settled = 0;
    for (let lane = 0; lane < lanes.length; lane += 1) {
      settled += collect(run, lane);
      const missing = share - (run.waiting.counts[lane] ?? 0);
      if (missing > 0) ask(run, lane, missing, now);
    }
    if (settled === 0 && sleeps) sleep();
    if (now < lookForLostAt) continue;
    giveUp(run, now - lostAfterMs);
    lookForLostAt = now + lookForLostEveryMs;
  }
}

/** So many in a second, whether replies come or not, on one lane after the other. */
function pace(run: Run, startAt: number, endAt: number, perSecond: number, sleep: () => void): void {
  const { lanes, sleeps } = run.options;
  let [sent, lookForLostAt] = [0, startAt + lookForLostEveryMs];
  for (let now = performance.now(); now < endAt; now = performance.now()) {
    const due = Math.floor(((now - startAt) * perSecond) / 1000);
    for (; sent < due; sent += 1) ask(run, sent % lanes.length, 1, performance.now());
    let settled = 0;
    for (let lane = 0; lane < lanes.length; lane += 1)
      if ((run.waiting.counts[lane] ?? 0) > 0) settled += collect(run, lane);
    if (settled === 0 && sleeps) sleep();
    if (now < lookForLostAt) continue;
    giveUp(run, now - lostAfterMs);
    lookForLostAt = now + lookForLostEveryMs;
  }
}

/** Reads the replies that are still under way, so that none of them disturbs the next run; gives when the last one came. */
function drain(run: Run, sleep: () => void): number {
  let lastAt = performance.now();
  const giveUpAt = lastAt + lostAfterMs;
  while (run.waiting.counts.some((count) => count > 0) && performance.now() < giveUpAt) {
    let settled = 0;
    for (let lane = 0; lane < run.options.lanes.length; lane += 1) settled += collect(run, lane);
    if (settled > 0) lastAt = performance.now();
    else if (run.options.sleeps) sleep();
  }
  giveUp(run, Number.POSITIVE_INFINITY);
  return lastAt;
}

/** Asks for the given time, looks at every reply, and adds what came of it. Keeps the thread all that time. */
export function load(options: LoadOptions, tally: Tally): void {
  const run = startRun(options, tally);
  const sleep = sleeper(options.lanes);
  const startAt = performance.now();
  const endAt = startAt + options.seconds * 1000;
  if (options.perSecond === undefined) saturate(run, endAt, sleep);
  else pace(run, startAt, endAt, options.perSecond, sleep);
  tally.seconds += (drain(run, sleep) - startAt) / 1000;
}
