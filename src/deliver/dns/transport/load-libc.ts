import { endianness } from 'node:os';
import type { Libc } from './libc.ts';
import { loadKoffi } from './libc-koffi.ts';
import { loadNodeFfi } from './libc-node.ts';

const architectures = ['x64', 'arm64', 'riscv64', 'loong64'];

/** Why the layouts that we write into memory are not those of this machine; `undefined` when they are. */
function foreignness(): string | undefined {
  if (process.platform !== 'linux') return `the system is ${process.platform}, not Linux`;
  if (!architectures.includes(process.arch) || endianness() !== 'LE') return `the processor is ${process.arch}`;
  return undefined;
}

/** Bindings in the order in which they are tried. */
const bindings = { koffi: loadKoffi, 'node:ffi': loadNodeFfi } as const;

/**
 * Loads the first binding that is there: the optional package koffi, then Node's own `node:ffi` (Node 26), which is
 * experimental and no quicker. Gives the reason when there is none.
 */
export async function loadLibc(
  wanted: readonly (keyof typeof bindings)[] = ['koffi', 'node:ffi'],
): Promise<Libc | string> {
  const foreign = foreignness();
  if (foreign !== undefined) return foreign;
  const reasons: string[] = [];
  for (const name of wanted) {
    try {
      return await bindings[name]();
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
  }
  return reasons.join('; ') || 'no binding to the C library is allowed';
}
