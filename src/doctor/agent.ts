import type { AgentConfig, AgentServer } from '../agent/config.ts';
import { type Answer, createExchange, showAnswer } from '../agent/exchange.ts';
import { tasksPath, tasksSchema } from '../agent/wire.ts';
import { describeError } from '../model/error.ts';
import type { Clock } from '../time/clock.ts';
import { agentClockFinding } from './clocks.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';
import { isAboutCertificate, reachRemedyOf } from './remedy.ts';

const urlRemedy =
  'name the listener for agents in servers[].url: what `api.agents.listen` says at a server of hsdo, or the master of PyFailoverDNS';
const tokenRemedy = 'put the token of a service there (its agents.token) into servers[].token';

/** Every server that an agent works for, asked for tasks as the agent asks: nothing is reported. */
export function agentExaminations({ servers }: AgentConfig, clock: Clock): readonly Examination[] {
  return servers.map((server) => ({
    about: `server "${server.name}" at ${server.url}`,
    remedy: urlRemedy,
    look: (signal) => lookAtServer(server, clock, signal),
  }));
}

async function lookAtServer(server: AgentServer, clock: Clock, signal: AbortSignal): Promise<readonly Finding[]> {
  const about = `server "${server.name}" at ${server.url}`;
  try {
    const answer = await createExchange(server, clock).ask(tasksPath(server.tags), undefined, signal);
    return [answerFinding(about, answer, server), ...clockFindings(`clock against server "${server.name}"`, answer)];
  } catch (error) {
    signal.throwIfAborted();
    const said = describeError(error);
    const trust = 'name the authority that signed its certificate in NODE_EXTRA_CA_CERTS of the agent';
    return [fault(about, said, reachRemedyOf(said) ?? (isAboutCertificate(said) ? trust : urlRemedy))];
  }
}

/** What an answer to the question for tasks means. */
export function answerFinding(about: string, answer: Answer, server: AgentServer): Finding {
  const { status } = answer;
  const tasks = status === 200 ? tasksSchema.safeParse(answer.body).data?.tasks : undefined;
  if (tasks !== undefined && tasks.length > 0) {
    return ok(about, `takes the token, and has ${tasks.length} task${tasks.length === 1 ? '' : 's'}`);
  }
  if (tasks !== undefined) {
    const tags = server.tags.length === 0 ? 'no tags' : `the tags ${server.tags.join(', ')}`;
    const remedy =
      'give it a tag that a service there has in `agents.tags`; a master of PyFailoverDNS gives no tasks for a wrong token either';
    return warning(about, `answers, and has no tasks for ${tags}`, remedy);
  }
  const said = showAnswer(answer, server);
  if (status === 401 || status === 403) {
    return fault(
      about,
      `refuses ${server.token === undefined ? 'us without a token' : 'the token'}: ${said}`,
      tokenRemedy,
    );
  }
  if (status === 429 || status === 503) {
    return warning(about, `answers, but not now: ${said}`, 'ask again in a minute; then look at its own `hsdo doctor`');
  }
  return fault(about, `answers ${said}${status === 200 ? ', which is no list of tasks' : ''}`, urlRemedy);
}

/** Nothing where the answer has no Date. */
const clockFindings = (about: string, { dateAt, askedAt, answeredAt }: Answer): readonly Finding[] =>
  dateAt === undefined ? [] : [agentClockFinding(about, (askedAt + answeredAt) / 2 - dateAt)];
