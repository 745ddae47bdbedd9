/** What each option of a check means, in the words of docs/checks.md. Kinds that share an option under one meaning share a line. */
export const checkMeanings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  every: {
    intervalSeconds:
      'from one start to the next; turns are spread evenly, newcomers are asked at once, and nobody twice at a time',
    timeoutSeconds: 'the longest that one try may take',
    retries: 'further tries, at once, after one that timed out',
    rise: 'passes in a row that make a target up again; the very first pass is enough',
    fall: 'failures in a row that make it down',
    'holdDown.seconds':
      'a target that fell again must pass for this long before it is up, twice as long each time; 0 switches it off',
    'holdDown.maxSeconds': 'and at most this long',
    port: 'a port of its own for the check; else the one of the target',
  },
  exec: {
    check: 'the executable; it gets the name and the address of the target as its last arguments, and 0 means up',
    init: 'an executable that must end with 0 once before the first check',
    args: 'arguments before those two; nothing goes through a shell',
    env: 'its environment beside PATH, HOME and LANG; the values are secrets',
  },
  http: {
    scheme: 'http or https',
    method: 'GET, POST or HEAD',
    path: 'with its query, if any',
    headers: 'name: value; the values are secrets',
    body: 'sent with POST; a secret',
    followRedirects: 'at most 5, never from https to http, and only where they stay at the target',
    followToOtherHosts: 'follows those to other hosts, too',
    expectedCodes: 'such as `200,3XX`, where X is any digit',
    expectedBody: 'text that the answer must contain; upper and lower case are the same',
    maxBodyBytes: 'the longest part of an answer that is read',
    ignoreTlsErrors: 'believes every certificate',
    serverName: 'name for SNI and for the certificate; else the one that is sent as Host',
    ca: "PEM file of the authorities to believe instead of the system's",
    forwardDomain: 'sends the `domain` of the service as Host, unless the headers name one',
    targets: 'by name, id or address of a target: `{ url }`, or `{ port, path }`, of its own',
  },
  module: {
    path: 'a file of JavaScript or TypeScript that exports `createCheck(options, context)`; see [Your own kinds](your-own-kinds.md)',
    options: 'what it is given',
  },
  postgres: {
    role: 'primary, replica or any; of several primaries at most one is up, by their timelines',
    user: 'it needs no privileges',
    password: 'a secret',
    database: 'to log in to',
    tls: 'true, or `{ ca, serverName, ignoreErrors }`',
    targets: 'by name, id or address of a target: `{ port, user, password, database }` of its own',
  },
  'redis-sentinel': {
    masterName: 'as the sentinels know it',
    sentinels:
      'all of them: `{ host, port: 26379, username, password }`; up is the master that a majority of this list agrees on',
    username: 'for the Redis itself',
    password: 'for the Redis itself; a secret',
    tls: 'true, or `{ ca, serverName }`, for sentinels and Redis alike',
  },
  tcp: {
    send: 'what is sent once connected',
    expect: 'text that must come, within the first 64 KiB',
  },
};

/** What the options around the check mean; those of `select` by its kinds. */
export const judgingMeanings: Readonly<Record<string, string>> = {
  'vote.policy': 'votes that a target needs to be up: any (one), quorum (more than half), all, or a number',
  'vote.electorate': 'whose votes are counted on: everybody registered, or live: only those who are alive',
  'vote.missing': 'what a missing vote means: undecided (nothing), or down (silence is no)',
  select: 'which of those that are up answer, see below',
  'select.failback': 'active-passive: whether a target of higher rank takes over again by itself',
  'select.failbackSeconds': 'active-passive: for how long it must have been up by then',
  'select.rttMode': 'best-rtt, group-rtt-rr: total, until the whole answer was there, or connect',
  'select.maxRttMs': 'best-rtt, group-rtt-rr: whoever takes longer does not answer',
  'select.groupThresholdMs': 'group-rtt-rr: how much slower than the fastest one may be',
  whenAllDown: 'last-good, all, none, first, or `{ fallback: [addresses], ttlSeconds }`, see below',
  'weight.rampAfterDown': 'whether a target that was down begins with its smallest weight again',
  'checks.concurrency': 'checks of one process that may run at one moment',
  'checks.firstWaitSeconds': 'the first list of a service waits for first results, at most this long',
  'checks.wayOut': '`host:port` of places outside; while none can be reached, no votes are cast',
  'agents.token': 'what agents of this service show to be let in; a secret, needed where they come from elsewhere',
  'agents.tags': 'agents with one of them check the service; empty: every agent does',
  'agents.intervalSeconds': "from one check of an agent to its next; else the check's",
  'agents.timeoutSeconds': "the longest that one try of an agent may take; else the check's",
  'agents.freshSeconds': 'how long a report counts',
  'agents.leave':
    'when an agent that is silent leaves the electorate: by timeout, after `freshSeconds`, or by decommission only',
  'agents.only': 'true: agents alone check and vote, and no server does, as with the master of PyFailoverDNS',
  'agents.ids':
    'the agents that may report, each in the electorate, also while it is silent; default: any with the token',
  'api.agents.listen':
    'where agents ask for tasks and report; beyond loopback every service with `agents` needs a token',
  'api.agents.maxBodyBytes': 'the longest body that is taken from an agent',
  'api.agents.requestsPerSecond': 'of one address; four times as many may come at once',
  'cluster.heartbeatSeconds': 'how often a server says that it is there',
  'cluster.nodeTtlSeconds': 'silent for this long, its votes are missing',
};
