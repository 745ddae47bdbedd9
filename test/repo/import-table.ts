/** Who may import whom in src, as ARCHITECTURE.md tells it. A new folder is not part of hsdo until it has a line here. */

const bottom = ['model', 'time', 'telemetry'];
const stages = ['store', 'discover', 'check', 'judge', 'assign', 'deliver'];

/** Room of src to the rooms below it; its own files are always open to it. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  time: ['model'],
  telemetry: ['model', 'time'],
  // What the source and the check of kind redis-sentinel both ask: plug-ins share nothing but what lies below them.
  redis: ['model', 'time'],
  // How an executable of the operator's is run: the check and the switcher of kind exec both do.
  program: ['model', 'time'],
  // One bounded request to another program: what switchers, notifiers and agents ask by, and how an answer is read.
  http: ['model', 'telemetry'],
  // What users write themselves, and how it is loaded: checks, switchers and notifiers of kind module.
  extension: ['model'],
  store: bottom,
  discover: [...bottom, 'redis'],
  check: [...bottom, 'redis', 'program', 'extension'],
  judge: ['model'],
  assign: ['model'],
  deliver: [...bottom, 'program', 'extension', 'http'],
  publish: [...bottom, ...stages],
  config: [...bottom, ...stages, 'publish'],
  // An agent checks for servers; those need what the two say to each other, which lies here, too.
  agent: [...bottom, 'discover', 'check', 'config', 'http'],
  // What predecessors' files become: only configurations, so it knows nothing that runs.
  import: [...bottom, 'config'],
  api: [...bottom, ...stages, 'publish', 'config', 'agent'],
  // The page that a browser is shown, and what hands it out.
  dashboard: [...bottom, 'publish', 'api'],
  daemon: [...bottom, ...stages, 'publish', 'config', 'agent', 'api', 'dashboard'],
  demo: bottom,
  // Looks at whatever hsdo needs, and changes nothing: it never starts a part that runs.
  doctor: [...bottom, ...stages, 'publish', 'config', 'agent', 'http', 'program', 'api'],
  cli: [...bottom, ...stages, 'http', 'publish', 'config', 'agent', 'api', 'daemon', 'demo', 'import', 'doctor'],
  'main.ts': [...bottom, ...stages, 'publish', 'config', 'agent', 'api', 'daemon', 'demo', 'cli'],
};

/** Files and folders that only decide: the model and each other, no package, no part of Node, no clock. */
export const pure: readonly string[] = [
  'judge/',
  'assign/',
  'deliver/haproxy/cells.ts',
  'deliver/haproxy/plan.ts',
  'deliver/haproxy/decide.ts',
  'deliver/haproxy/desired.ts',
  'deliver/haproxy/observe.ts',
  'deliver/dns/answer/',
  'deliver/dns/records/',
  'deliver/dns/responder.ts',
  'deliver/notify/announce.ts',
  'deliver/notify/announce-nodes.ts',
  'deliver/notify/compose.ts',
  'deliver/notify/notifier.ts',
  'deliver/notify/pace.ts',
  'deliver/notify/words.ts',
  'deliver/switch/reconcile.ts',
  'deliver/switch/switcher.ts',
];

/** Maps of plug-in kinds: what a map imports from its own folder are plug-ins, but for the files named as shared. */
export const plugInMaps: Readonly<Record<string, readonly string[]>> = {
  'discover/sources.ts': ['discover/source.ts', 'discover/accept.ts', 'discover/refresh.ts'],
  'store/stores.ts': ['store/store.ts'],
  'check/health-checks.ts': ['check/health-check.ts'],
  'deliver/switch/switchers.ts': ['deliver/switch/switcher.ts', 'deliver/switch/options.ts'],
  'deliver/notify/notifiers.ts': ['deliver/notify/notifier.ts', 'deliver/notify/options.ts'],
};
