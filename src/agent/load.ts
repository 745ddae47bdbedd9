import { existsSync } from 'node:fs';
import { faultsOf } from '../config/complaint.ts';
import { type Document, type Path, readDocument, showPath } from '../config/document.ts';
import type { Fault } from '../config/fault.ts';
import { resolveSecrets } from '../config/secret-places.ts';
import { freeze, isTree, type Tree } from '../config/tree.ts';
import { type AgentConfig, agentSchema } from './config.ts';

export type LoadedAgent =
  | { readonly config: AgentConfig; readonly faults: readonly [] }
  | { readonly config: undefined; readonly faults: readonly Fault[] };

export const defaultAgentFile = 'conf/agent.yaml';

/**
 * Reads the configuration of an agent. Without a file name, `conf/agent.yaml` is read where it exists. Either a whole
 * configuration or every fault at once comes back; nothing is thrown for what a person wrote.
 */
export function loadAgentConfig(options: {
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}): LoadedAgent {
  const file = options.file ?? defaultAgentFile;
  if (options.file === undefined && !existsSync(file)) {
    const expected = `expected --config FILE, the file of the agent, since there is no ${file}`;
    return { config: undefined, faults: [{ place: 'command line', path: 'config', expected }] };
  }
  const document = readDocument(file);
  const resolved = resolveSecrets(document.root, options.env, document.placeOf);
  const raw = asTexts(resolved.root, document.asWritten);
  const faults: Fault[] = [...document.faults, ...resolved.faults];
  const parsed = agentSchema.safeParse(raw);
  if (!parsed.success && document.faults.length === 0) {
    const already = new Set(faults.map(({ path }) => path));
    const originOf = (path: Path) => ({ place: document.placeOf(path), name: showPath(path) });
    const found = parsed.error.issues.flatMap((issue) => faultsOf(issue, raw, originOf, agentSchema));
    faults.push(...found.filter(({ path }) => !already.has(path)));
  }
  if (faults.length > 0 || !parsed.success) return { config: undefined, faults };
  return { config: freeze(parsed.data), faults: [] };
}

const textsOfServer: readonly string[] = ['name', 'token', 'tags'];

/** Names, tokens and tags that look like numbers are the texts that stand in the file. */
function asTexts(root: Tree, asWritten: Document['asWritten']): Tree {
  const { agent_id: id, servers, exporter } = root;
  const serverOf = (server: unknown, index: number) =>
    isTree(server)
      ? Object.fromEntries(
          Object.entries(server).map(([key, value]) => [
            key,
            textsOfServer.includes(key) ? asWritten(['servers', index, key], value) : value,
          ]),
        )
      : server;
  return {
    ...root,
    ...(id === undefined ? {} : { agent_id: asWritten(['agent_id'], id) }),
    ...(isTree(exporter) && exporter['token'] !== undefined
      ? { exporter: { ...exporter, token: asWritten(['exporter', 'token'], exporter['token']) } }
      : {}),
    ...(Array.isArray(servers) ? { servers: servers.map(serverOf) } : {}),
  };
}
