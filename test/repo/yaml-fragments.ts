import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadAgentConfig } from '../../src/agent/load.ts';
import { showFault } from '../../src/config/fault.ts';
import { loadConfig } from '../../src/config/load.ts';
import { accept } from '../../src/discover/accept.ts';
import { readList } from '../../src/discover/file-sd.ts';

type Tree = Readonly<Record<string, unknown>>;

const source = { kind: 'static', targets: ['192.0.2.1:80', '192.0.2.2:80'] };
const plain = { name: 'web', source, haproxy: { backends: [{ name: 'web', baseName: 'web' }] } };

/** What the documents show of a service by itself. */
const keysOfService = ['maintenance', 'switch'];

/** The whole that a fragment of the nested form is a part of: services as they are, keys of one service, or all that is beside them. */
function wholeOf(fragment: unknown): unknown {
  const tree = fragment as Tree;
  if (Object.keys(tree).some((key) => /^[A-Z_]+$/.test(key))) return tree;
  const { services, ...rest } = tree;
  if (Array.isArray(services)) {
    // A service that leaves out where its targets come from has nothing wrong in what it says.
    const filled = services.map((one: Tree) => ({ ...plain, ...one }));
    return { ...rest, services: filled };
  }
  return Object.keys(tree).every((key) => keysOfService.includes(key))
    ? { services: [{ ...plain, ...checkFor(tree), ...tree }] }
    : { ...tree, services: [plain] };
}

/** An entry point that is switched follows checks. */
const checkFor = (tree: Tree) => ('switch' in tree ? { check: { kind: 'tcp' }, domain: 'www.foo.com' } : {});

/** Every variable that the fragment asks for, with a value that may be a token, an address or a place. */
function environmentFor(text: string): NodeJS.ProcessEnv {
  const names = [...text.matchAll(/\{ env: (\w+) \}/g)].map(([, name = '']) => name);
  return Object.fromEntries(
    names.map((name) => [name, name.endsWith('URL') ? 'https://example.org/secret' : '42:a-long-secret-of-a-test']),
  );
}

/** What check-config finds wrong in a fragment of a document, in its words. Files that it names are put at its disposal. */
export function faultsOfFragment(text: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'hsdo-fragment-'));
  try {
    const placed = text.replaceAll(/\/etc\/hsdo\/([\w.-]+)/g, (_, name: string) => {
      writeFileSync(join(folder, name), 'a-long-secret-of-a-test\n');
      return join(folder, name);
    });
    const fragment: unknown = parse(placed);
    if (Array.isArray(fragment)) return accept(readList(fragment, 'list')).refusals.map(({ reason }) => reason);
    const file = join(folder, 'fragment.yaml');
    const env = { NODE_ID: 'n1', ...environmentFor(text) };
    const isAgent = 'agent_id' in (fragment as object);
    writeFileSync(file, JSON.stringify(isAgent ? fragment : wholeOf(fragment)));
    const { faults } = isAgent ? loadAgentConfig({ file, env }) : loadConfig({ file, env });
    return faults.map(showFault);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
