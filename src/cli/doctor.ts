import type { Command } from 'commander';
import { defaultAgentFile, loadAgentConfig } from '../agent/load.ts';
import { type Fault, showFault } from '../config/fault.ts';
import { defaultFile, loadConfig } from '../config/load.ts';
import { agentExaminationsOf, examinationsOf } from '../doctor/doctor.ts';
import { examine } from '../doctor/examine.ts';
import { type Finding, type FindingState, fault, ok } from '../doctor/finding.ts';
import { systemClock } from '../time/clock.ts';
import type { ConfigOptions } from './configuration.ts';
import { exitCodes } from './exit.ts';
import { paints } from './paint.ts';
import { oneLine } from './plain-text.ts';
import { openProgress } from './progress.ts';

interface DoctorOptions extends ConfigOptions {
  readonly json?: boolean;
  readonly server?: boolean;
  readonly client?: boolean;
  readonly dns?: boolean;
  readonly agent?: boolean;
}

/** `hsdo doctor`: why something does not work, and what to do about it. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('find out why something does not work, and what to do; it only looks')
    .option('--json', 'print what was found as JSON')
    .addHelpText(
      'after',
      `
Run it as the user of hsdo, with hsdo's environment. With --server, --client or --dns it looks at what that role needs alone,
with --agent at what the agent of that configuration needs.
Exit code 0: no faults (warnings do not count); 1: at least one.`,
    )
    .action(async (_: unknown, command: Command) => {
      const { json, ...options } = command.optsWithGlobals<DoctorOptions>();
      const found = await examineAll(options);
      const isFine = found.every(({ state }) => state !== 'fault');
      process.stdout.write(json ? `${JSON.stringify({ ok: isFine, findings: found }, null, 2)}\n` : forPeople(found));
      process.exitCode = isFine ? exitCodes.ok : exitCodes.failed;
    });
}

async function examineAll(options: DoctorOptions): Promise<readonly Finding[]> {
  const { ofConfig, examinations } = options.agent === true ? agentParts(options) : rolesParts(options);
  const progress = openProgress(process.stderr);
  const signal = new AbortController().signal;
  try {
    const onLooked = (done: number, total: number) => progress.show(`looking: ${done} of ${total}`);
    return [...ofConfig, ...(await examine(examinations, { clock: systemClock, signal, onLooked }))];
  } finally {
    progress.close();
  }
}

function rolesParts(options: DoctorOptions) {
  const { config: file } = options;
  const roles = { server: options.server === true, client: options.client === true, dns: options.dns === true };
  const { config, faults } = loadConfig({ file, env: process.env, roles });
  const fine = config && `${counted(config.services.length, 'service')}, store ${config.store.kind}`;
  return {
    ofConfig: configFindings(file ?? defaultFile, fine, faults, 'hsdo check-config'),
    examinations: examinationsOf(config, roles, systemClock),
  };
}

function agentParts({ config: file }: DoctorOptions) {
  const { config, faults } = loadAgentConfig({ file, env: process.env });
  const fine = config && `an agent of ${counted(config.servers.length, 'server')}`;
  return {
    ofConfig: configFindings(file ?? defaultAgentFile, fine, faults, 'hsdo check-config --agent'),
    examinations: agentExaminationsOf(config, systemClock),
  };
}

/** `fine`: what it configures; `undefined` where there are faults. */
function configFindings(file: string, fine: string | undefined, faults: readonly Fault[], command: string) {
  const remedy = `correct it; \`${command}\` looks at nothing else`;
  if (fine === undefined) return faults.map((one) => fault('configuration', showFault(one), remedy));
  return [ok(`configuration ${file}`, `fine: ${fine}`)];
}

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;

const words: Readonly<Record<FindingState, string>> = { ok: 'ok', warning: 'warning', fault: 'fault' };

/** One line for each finding, the remedy in the same line, since lines are what people search and send. */
export function forPeople(found: readonly Finding[]): string {
  const { green, yellow, red, dim } = paints(process.stdout);
  const paint = { ok: green, warning: yellow, fault: red };
  const lines = found.map(({ state, about, says, remedy }) => {
    const what = `${paint[state](words[state].padEnd(7))}  ${about}: ${oneLine(says)}`;
    return remedy === undefined ? what : `${what} ${dim('→')} ${oneLine(remedy)}`;
  });
  const count = (wanted: FindingState) => found.filter(({ state }) => state === wanted).length;
  const [faults, warnings] = [count('fault'), count('warning')];
  const end = faults + warnings === 0 ? 'all in order' : `${counted(faults, 'fault')}, ${counted(warnings, 'warning')}`;
  return `${[...lines, '', end].join('\n')}\n`;
}
