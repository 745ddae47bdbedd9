import { Command, CommanderError } from 'commander';
import { suggestion } from '../config/suggest.ts';
import { describeError, hasCode } from '../model/error.ts';
import { version } from '../telemetry/version.ts';
import { runAgent } from './agent.ts';
import { addCheckConfig } from './check-config.ts';
import { addCompletion } from './completion.ts';
import { addDemo } from './demo.ts';
import { addDhafNames } from './dhaf-names.ts';
import { addDoctor } from './doctor.ts';
import { Exit, exitCodes } from './exit.ts';
import { addHaproxyCommands } from './haproxy.ts';
import { addHistory } from './history.ts';
import { addImport } from './import.ts';
import { addNodes } from './nodes.ts';
import { printable } from './plain-text.ts';
import { addForgetPrimary } from './primary.ts';
import { addReleaseTable } from './release-table.ts';
import { addRequests } from './requests.ts';
import { runRoles } from './run.ts';
import { addService } from './service.ts';
import { addServices } from './services.ts';
import { print, type ShowOptions } from './show.ts';
import { addSlots } from './slots.ts';
import { addStatus } from './status.ts';
import { addSwitchover } from './switchover.ts';
import { addTop } from './top.ts';

const welcome = `
Roles (they combine in one process):
  hsdo --server                 find targets, assign slots, publish the list
  hsdo --client                 keep the HAProxy beside it in line with the list
  hsdo --dns                    answer DNS from the list, for clients without a proxy
Elsewhere, alone in its process:
  hsdo --agent --config FILE    check for servers what they want to know, and report to them

Start here:
  npm start                     the main job on this machine, live
  hsdo check-config             every fault of the configuration at once
  hsdo status                   leader, sources, lists and clients`;

/** What `hsdo` alone says: what it is, and what to type. */
const greeting = `hsdo ${version} keeps services reachable: it finds targets, checks them, and keeps every HAProxy and DNS in line with one list.

  hsdo demo             see it at work on this machine
  hsdo check-config     is the configuration right?
  hsdo --server         find and check targets, publish the list
  hsdo --client         keep the HAProxy beside it in line with the list
  hsdo top              watch it live; hsdo status says the same once
  hsdo doctor           something does not work: why, and what to do
  hsdo --help           everything else`;

interface RootOptions {
  readonly server?: boolean;
  readonly client?: boolean;
  readonly dns?: boolean;
  readonly agent?: boolean;
  readonly debug?: boolean;
  readonly config?: string;
}

/** In the order of the help. */
const commands: readonly ((program: Command) => void)[] = [
  addCheckConfig,
  addDoctor,
  addStatus,
  addTop,
  addServices,
  addService,
  addSlots,
  addNodes,
  addSwitchover,
  addRequests,
  addForgetPrimary,
  addHistory,
  addHaproxyCommands,
  addReleaseTable,
  addImport,
  addDemo,
  addCompletion,
  addVersion,
  addDhafNames,
];

/** All that can be typed; the manual and the documents are held against it. */
export function createProgram(): Command {
  const program = new Command('hsdo')
    .description('hsdo keeps one stable, ordered, weighted list of targets and every HAProxy in line with it.')
    .version(version, '-V, --version')
    .option('--server', 'run the server: find targets, assign slots, publish the list')
    .option('--client', 'run the client: keep HAProxy in line with the list')
    .option('--dns', 'answer DNS from the list')
    .option('--agent', 'check for servers elsewhere and report to them; its configuration is a file of its own')
    .option('--debug', 'log every decision')
    .option('-c, --config <file>', 'configuration file (default: conf/env.yaml where it exists)')
    .option('--api <url>', 'API of the hsdo to ask (default: the address in the configuration)')
    .option('--token <token>', 'token for the API; better in HSDO_API_TOKEN')
    .option('--ca <file>', 'authority that signed the certificate of an API under https (or HSDO_API_CA)')
    .option('--cert <file>', 'certificate to show to the API (or HSDO_API_CERT)')
    .option('--key <file>', 'key of that certificate (or HSDO_API_KEY)')
    .addHelpText('after', welcome)
    .showSuggestionAfterError()
    .exitOverride()
    .allowExcessArguments()
    .action(async (options: RootOptions) => {
      const [unknown] = program.args;
      if (unknown !== undefined) {
        const names = program.commands.map((command) => command.name());
        program.error(`error: unknown command "${unknown}"${suggestion(unknown, names)}`);
      }
      const others = (['server', 'client', 'dns'] as const).filter((role) => options[role]);
      if (options.agent && others.length > 0)
        program.error(
          `error: --agent runs alone: it stands elsewhere than --${others[0]}, and has a configuration of its own`,
        );
      if (options.agent) {
        await runAgent(options);
        return;
      }
      if (others.length === 0) {
        process.stdout.write(`${greeting}\n`);
        return;
      }
      await runRoles(options);
    });
  for (const add of commands) add(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

function addVersion(program: Command): void {
  program
    .command('version')
    .description('show the version of this hsdo')
    .option('--json', 'print it as JSON, with that of Node.js')
    .action((options: ShowOptions) => print(options, { version, node: process.version }, () => version));
}

/** Runs one command line and gives the exit code of the process. Never throws. */
export async function runCli(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof Exit) {
      process.stderr.write(`${printable(error.message)}\n`);
      return error.exitCode;
    }
    process.stderr.write(`${printable(describeError(error))}\n`);
    if (hasCode(error, 'config')) return exitCodes.config;
    if (hasCode(error, 'unavailable') || hasCode(error, 'rejected') || hasCode(error, 'conflict'))
      return exitCodes.failed;
    if (error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
    return exitCodes.bug;
  }
}
