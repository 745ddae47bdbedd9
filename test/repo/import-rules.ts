import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { mayImport, plugInMaps, pure } from './import-table.ts';

/** One import statement: `from` and `to` relative to src where they lie in it. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** Where `to` lives: a file of src, a package or part of Node, or another folder of the repository. */
  readonly kind: 'src' | 'package' | 'elsewhere';
  readonly isPartOfCycle: boolean;
}

export interface ImportGraph {
  readonly files: readonly string[];
  readonly imports: readonly Import[];
}

type Dependency = ICruiseResult['modules'][number]['dependencies'][number];

function toImport(from: string, dependency: Dependency): Import {
  const { resolved, dependencyTypes, circular: isPartOfCycle } = dependency;
  const isPackage = dependencyTypes.some((type) => type === 'core' || type.startsWith('npm'));
  if (isPackage) return { from, to: dependency.module, kind: 'package', isPartOfCycle };
  if (resolved.startsWith('src/')) return { from, to: resolved.slice('src/'.length), kind: 'src', isPartOfCycle };
  return { from, to: resolved, kind: 'elsewhere', isPartOfCycle };
}

/** Reads every import below `root`/src, those of types and dynamic ones included. */
export async function readImports(root: string): Promise<ImportGraph> {
  const { output } = await cruise(['src'], {
    baseDir: root,
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  });
  if (typeof output === 'string') throw new Error(`dependency-cruiser answered with text: ${output.slice(0, 200)}`);
  const modules = output.modules.filter((module) => module.source.startsWith('src/'));
  const nameOf = (source: string) => source.slice('src/'.length);
  return {
    files: modules.map((module) => nameOf(module.source)),
    imports: modules.flatMap((module) =>
      module.dependencies.map((dependency) => toImport(nameOf(module.source), dependency)),
    ),
  };
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function isPure(file: string): boolean {
  return pure.some((rule) => (rule.endsWith('/') ? file.startsWith(rule) : file === rule));
}

function tableFaults({ from, to, kind }: Import): string[] {
  if (kind === 'package') return isPure(from) ? [`${from} is pure and imports "${to}"`] : [];
  if (kind === 'elsewhere') return [`${from} imports ${to}, which is no file of src`];
  if (isPure(from) && !isPure(to) && roomOf(to) !== 'model') return [`${from} is pure and imports ${to}`];
  const [room, other] = [roomOf(from), roomOf(to)];
  if (room === other || mayImport[room]?.includes(other)) return [];
  return [`${from} imports ${to}: ${room} may not import ${other}`];
}

function plugInFaults(graph: ImportGraph): string[] {
  return Object.entries(plugInMaps).flatMap(([map, shared]) => {
    const folder = map.slice(0, map.lastIndexOf('/') + 1);
    const named = graph.imports.filter(({ from, to }) => from === map && to.startsWith(folder)).map(({ to }) => to);
    const plugIns = new Set(named.filter((file) => !shared.includes(file)));
    return graph.imports
      .filter(({ from, to }) => plugIns.has(from) && (plugIns.has(to) || to === map))
      .map(({ from, to }) => `${from} is a plug-in and imports ${to === map ? 'their map' : 'the plug-in'} ${to}`);
  });
}

/** Every import that the table forbids, as sentences in order. */
export function faultsOf(graph: ImportGraph): string[] {
  const rooms = new Set(graph.files.map(roomOf));
  const strangers = [...rooms].filter((room) => !(room in mayImport));
  return [
    ...strangers.map((room) => `src/${room} has no line in the import table`),
    ...graph.imports.flatMap(tableFaults),
    ...plugInFaults(graph),
    ...graph.imports.filter((one) => one.isPartOfCycle).map(({ from, to }) => `${from} and ${to} are part of a cycle`),
  ].sort();
}
