import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { loadAgentConfig } from '../agent/load.ts';
import { type Fault, showFault } from '../config/fault.ts';
import { type Imported, importText } from '../import/import.ts';
import { type Kind, kindNames, kinds, signsOf } from '../import/kinds.ts';
import { showReport } from '../import/report.ts';
import { Exit, exitCodes } from './exit.ts';

interface ImportOptions {
  readonly from?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly nested?: boolean;
  readonly json?: boolean;
}

/** The largest file that is read; the largest configuration is far smaller. */
const longestBytes = 262_144;
const deepest = 100;

const signs = `
How a file is told (or say it with --from):
  hsdo                 flat parameters such as SERVER_MODE; it runs as it is, --nested turns it into the nested form
  hanoproxy            GlobalOptions and DnsRecords
  har                  sections \`name HOST { ... }\`
  pyfailoverdns        zones
  pyfailoverdns-agent  agent_id; hsdo --agent runs it as it is
  dhaf                 dhaf, or services with entry-points

The configuration goes to standard output, the report to standard error. Exit code 0: all is taken over; 1: something
needs a decision; 2: say --from; 78: no such configuration.`;

/** `hsdo import FILE`: a configuration of ours made of a predecessor's. */
export function addImport(program: Command): void {
  program
    .command('import <file>')
    .description("turn a predecessor's configuration into one of hsdo, and say what differs")
    .option('--from <kind>', `what it is: ${kinds.join(', ')}`)
    .option('-o, --output <file>', 'write the configuration there')
    .option('--force', 'write over a file that is there')
    .option('--nested', 'turn a configuration of HSDO into the nested form, though it runs as it is')
    .option('--json', 'print report and configuration as JSON')
    .addHelpText('after', signs)
    .action((file: string, options: ImportOptions) => {
      const source = sourceOf(file);
      const { kind, because } = kindOf(file, source, options.from);
      const imported = withAgent(importText(kind, file, source, { isNested: options.nested ?? false }), file);
      const { faults, text, entries, variables } = imported;
      const isWritten = options.output !== undefined && text !== undefined && faults.length === 0;
      if (isWritten) write(options.output ?? '', text, options.force ?? false);
      const what = `${file} is a configuration of ${kindNames[kind]} (${because})`;
      if (options.json) {
        const shown = variables.map(({ name, place, from }) => ({ name, place, from }));
        const rest = { faults, entries, variables: shown, ...(text === undefined || isWritten ? {} : { text }) };
        process.stdout.write(`${JSON.stringify({ ok: faults.length === 0, kind, because, ...rest }, null, 2)}\n`);
      } else if (faults.length > 0) tellFaults(`${what}, with faults`, faults);
      else {
        if (text !== undefined && !isWritten) process.stdout.write(text);
        process.stderr.write(showReport({ title: what, entries, variables }));
        process.stderr.write(`\n${nextStep(file, options, imported)}\n`);
      }
      process.exitCode = exitOf(imported);
    });
}

function sourceOf(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > longestBytes) throw new Error(`it has ${bytes.length} bytes, expected at most ${longestBytes}`);
    const source = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (isTooDeep(source)) throw new Error(`it is nested deeper than ${deepest} levels`);
    return source;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Exit(exitCodes.config, `${file}: expected a readable text file: ${reason}`);
  }
}

/** True for what no configuration is, and what the parser of YAML would need all memory for. */
function isTooDeep(source: string): boolean {
  let depth = 0;
  for (const letter of source) {
    if (letter === '[' || letter === '{') depth += 1;
    else if (letter === ']' || letter === '}') depth = Math.max(0, depth - 1);
    if (depth > deepest) return true;
  }
  return source.includes('- '.repeat(deepest));
}

function kindOf(
  file: string,
  source: string,
  from: string | undefined,
): { readonly kind: Kind; readonly because: string } {
  if (from !== undefined) {
    const kind = kinds.find((one) => one === from);
    if (kind !== undefined) return { kind, because: 'as --from says' };
    throw new Exit(exitCodes.usage, `error: --from is "${from}", expected one of ${kinds.join(', ')}`);
  }
  const [first, ...others] = signsOf(file, source);
  if (first === undefined) {
    const expected =
      'expected a configuration of HSDO, HAnoProxY, har, PyFailoverDNS or dhaf; `hsdo import --help` says how they are told, --from tries one of them';
    throw new Exit(exitCodes.config, `${file}: ${expected}`);
  }
  if (others.length === 0) return first;
  const all = [first, ...others].map(({ kind, because }) => `  --from ${kind}: ${because}`);
  throw new Exit(exitCodes.usage, `error: ${file} may be of several kinds; say which:\n${all.join('\n')}`);
}

/** An agent's file is judged by the agent itself; what it leaves to the environment is none of the import's business. */
function withAgent(imported: Imported, file: string): Imported {
  if (imported.kind !== 'pyfailoverdns-agent' || imported.faults.length > 0) return imported;
  const { faults } = loadAgentConfig({ file, env: process.env });
  return { ...imported, faults };
}

function write(file: string, text: string, isForced: boolean): void {
  try {
    writeFileSync(file, text, { flag: isForced ? 'w' : 'wx' });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (isThere) throw new Exit(exitCodes.usage, `error: ${file} is there already, expected --force to write over it`);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Exit(exitCodes.failed, `Cannot write ${file}: ${reason}`);
  }
}

function tellFaults(title: string, faults: readonly Fault[]): void {
  process.stderr.write(`${title}:\n${faults.map((fault) => `${showFault(fault)}\n`).join('')}`);
}

function nextStep(file: string, { output }: ImportOptions, { kind, text }: Imported): string {
  if (kind === 'pyfailoverdns-agent') return `Nothing to turn: \`hsdo --agent --config ${file}\` runs it as it is.`;
  if (text === undefined) {
    const unwritten = output === undefined ? '' : `; ${output} was not written`;
    return `Nothing to turn: \`hsdo --server --config ${file}\` and --client run it as it is, upstream's later names too (--nested turns it${unwritten}).`;
  }
  return `Then: hsdo check-config --config ${output ?? 'FILE'}`;
}

function exitOf({ faults, entries }: Imported): number {
  if (faults.length > 0) return exitCodes.config;
  return entries.some(({ isOpen }) => isOpen) ? exitCodes.failed : exitCodes.ok;
}
