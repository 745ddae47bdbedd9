import { parseArgs } from 'node:util';
import { dnsPlain, dnsRotated } from './dns.ts';
import { dnsBusy, dnsSwap } from './dns-calm.ts';
import { dnsForward } from './dns-forward.ts';
import type { Section } from './figures.ts';
import { fullChange } from './full-change.ts';
import { idleProcess } from './idle-process.ts';
import { idleReads } from './idle-reads.ts';
import { idleTick } from './idle-tick.ts';
import { describeMachine } from './machine.ts';
import { outage, outageOnDynamodb } from './outage.ts';
import { probes } from './probes.ts';
import { consulToHaproxy, consulToHaproxySmall, dynamodbToHaproxy, fileToHaproxy } from './propagation.ts';
import { renderMachine, renderSection } from './report.ts';

/** The measurements by name, in the order of the report. Nothing here fails because something is slow. */
const measurements: Readonly<Record<string, () => Promise<Section>>> = {
  'idle-tick': idleTick,
  'full-change': fullChange,
  consul: consulToHaproxy,
  'consul-small': consulToHaproxySmall,
  file: fileToHaproxy,
  dynamodb: dynamodbToHaproxy,
  'idle-reads': idleReads,
  'idle-process': idleProcess,
  probes,
  outage,
  'outage-dynamodb': outageOnDynamodb,
  dns: dnsPlain,
  'dns-rotated': dnsRotated,
  'dns-busy': dnsBusy,
  'dns-swap': dnsSwap,
  'dns-forward': dnsForward,
};

const usage = `Usage: npm run bench -- [--only NAME]... [--json]
Names: ${Object.keys(measurements).join(', ')}
`;

function readArguments(args: readonly string[]) {
  const options = {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const unknown = (values.only ?? []).find((name) => !(name in measurements));
    if (unknown !== undefined) throw new Error(`there is no measurement "${unknown}"`);
    return values;
  } catch (error) {
    process.stderr.write(`${String(error)}\n${usage}`);
    process.exit(64);
  }
}

async function run(args: readonly string[]): Promise<void> {
  const { only = Object.keys(measurements), json = false, help = false } = readArguments(args);
  if (help) return void process.stdout.write(usage);
  const machine = describeMachine(args);
  const sections: Section[] = [];
  if (!json) process.stdout.write(`${renderMachine(machine)}\n`);
  for (const [name, measure] of Object.entries(measurements)) {
    if (!only.includes(name)) continue;
    const section = await measure();
    sections.push(section);
    if (!json) process.stdout.write(`${renderSection(section)}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ machine, sections }, undefined, 2)}\n`);
}

await run(process.argv.slice(2));
