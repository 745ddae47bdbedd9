import type { Argument, Command, Option } from 'commander';

/** What the shell offers for a word: names that a running hsdo knows, files, or fixed words. */
export type Offer =
  | { readonly kind: 'services' | 'targets' | 'nodes' | 'files' | 'nothing' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export interface OptionSurface {
  /** As a person types it: `--config`; `-c` beside it where there is one. */
  readonly long: string;
  readonly short?: string;
  /** `file` in `--config <file>`; absent where the option takes no value. */
  readonly value?: string;
  readonly description: string;
  readonly offer: Offer;
}

export interface ArgumentSurface {
  readonly name: string;
  readonly isRequired: boolean;
  readonly description: string;
  readonly offer: Offer;
}

export interface CommandSurface {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionSurface[];
  readonly arguments: readonly ArgumentSurface[];
}

/** All that can be typed after `hsdo`, in the order of its help. Hidden commands are left out. */
export interface Surface {
  readonly description: string;
  readonly options: readonly OptionSurface[];
  readonly commands: readonly CommandSurface[];
}

/** Options that say which hsdo is asked for names; completion hands them on. */
export const askingOptions = ['-c', '--config', '--api', '--token', '--ca', '--cert', '--key'];

const nothing: Offer = { kind: 'nothing' };
/** Values of options and arguments, by the name that they bear. */
const offers: Readonly<Record<string, Offer>> = {
  service: { kind: 'services' },
  target: { kind: 'targets' },
  node: { kind: 'nodes' },
  file: { kind: 'files' },
};
/** Names that mean something else there than elsewhere. */
const exceptions: Readonly<Record<string, Offer>> = {
  'service name': { kind: 'services' },
  '--service name': { kind: 'services' },
};

function offerOf(name: string, choices: readonly string[] | undefined, where: string): Offer {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return exceptions[`${where} ${name}`] ?? offers[name] ?? nothing;
}

/** Reads the commands as they are declared, so that help, completion and manual cannot tell different stories. */
export function surfaceOf(program: Command): Surface {
  const help = program.createHelp();
  const optionsOf = (command: Command) =>
    help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map(optionSurface);
  return {
    description: program.description(),
    options: optionsOf(program),
    commands: help
      .visibleCommands(program)
      .filter((command) => command.name() !== 'help')
      .map((command) => ({
        name: command.name(),
        description: command.description(),
        options: optionsOf(command),
        arguments: command.registeredArguments.map((argument) => argumentSurface(command.name(), argument)),
      })),
  };
}

function optionSurface(option: Option): OptionSurface {
  const value = /[<[](.+?)[>\]]/.exec(option.flags)?.[1];
  const long = option.long ?? option.flags;
  return {
    long,
    ...(option.short === undefined ? {} : { short: option.short }),
    ...(value === undefined ? {} : { value }),
    description: withDefault(option),
    offer: value === undefined ? nothing : offerOf(value, option.argChoices, long),
  };
}

function withDefault({ description, defaultValue, negate }: Option): string {
  const isTold = defaultValue === undefined || negate || typeof defaultValue === 'boolean';
  return isTold ? description : `${description} (default: ${String(defaultValue)})`;
}

function argumentSurface(command: string, argument: Argument): ArgumentSurface {
  const name = argument.name();
  return {
    name,
    isRequired: argument.required,
    description: argument.description,
    offer: offerOf(name, argument.argChoices, command),
  };
}
