import { exitCodes } from './exit.ts';
import type { ArgumentSurface, CommandSurface, OptionSurface, Surface } from './surface.ts';

/** Text as roff takes it literally (groff_char(7)): a backslash, a hyphen that is a minus, a dot or quote at the beginning. */
const literal = (text: string) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
const bold = (text: string) => `\\fB${literal(text)}\\fR`;
const italic = (text: string) => `\\fI${literal(text)}\\fR`;

const argumentText = ({ name, isRequired }: ArgumentSurface) => (isRequired ? italic(name) : `[${italic(name)}]`);

function optionLines({ long, short, value, description }: OptionSurface): readonly string[] {
  const names = (short === undefined ? [long] : [short, long]).map(bold).join(', ');
  return ['.TP', `${names}${value === undefined ? '' : ` ${italic(value)}`}`, literal(sentence(description))];
}

/** Descriptions of a help begin small and have no dot. */
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

function commandLines({ name, description, options, arguments: args }: CommandSurface): readonly string[] {
  const explained = args.filter((argument) => argument.description !== '' || argument.offer.kind === 'words');
  return [
    '.TP',
    [bold(`hsdo ${name}`), ...(options.length === 0 ? [] : ['[options]']), ...args.map(argumentText)].join(' '),
    literal(sentence(description)),
    ...(explained.length + options.length === 0
      ? []
      : ['.RS', ...explained.flatMap(explain), ...options.flatMap(optionLines), '.RE']),
  ];
}

function explain(argument: ArgumentSurface): readonly string[] {
  const { description, offer } = argument;
  const choices = offer.kind === 'words' ? `One of ${offer.words.join(', ')}.` : '';
  const text = [description === '' ? '' : sentence(description), choices].filter((one) => one !== '').join(' ');
  return ['.TP', italic(argument.name), literal(text)];
}

const meanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.ok, 'What was asked was done.'],
  [exitCodes.failed, 'It could not be done; of hsdo doctor: there is a fault.'],
  [exitCodes.usage, 'The command line is wrong.'],
  [exitCodes.unhealthy, 'Of hsdo status --exit-code: something is not in order.'],
  [exitCodes.bug, 'A bug; the supervisor should start the process anew.'],
  [exitCodes.config, 'The configuration is wrong; to start anew does not help.'],
];

const variables: readonly (readonly [name: string, meaning: string])[] = [
  ['HSDO_API', 'URL of the API to ask, as --api.'],
  ['HSDO_API_TOKEN', 'Token for the API, as --token.'],
  ['HSDO_API_CA', 'As --ca; HSDO_API_CERT and HSDO_API_KEY are as --cert and --key.'],
  ['NO_COLOR', 'When set to anything, nothing is printed in colours.'],
  ['FORCE_COLOR', 'When set, colours are printed also into pipes; 0 or false: nowhere.'],
];

const tagged = (items: readonly (readonly [string | number, string])[]) =>
  items.flatMap(([name, meaning]) => ['.TP', bold(String(name)), literal(meaning)]);

/**
 * The manual hsdo(1) in the macros of man(7), made of what can be typed. It bears no date and no version, so that it changes
 * only with the commands.
 */
export function manual({ options, commands }: Surface): string {
  const lines = [
    '.\\" Made by test/unit/cli/manual.test.ts of the commands themselves; see there before you change it.',
    '.TH HSDO 1 "" "hsdo" "User Commands"',
    '.SH NAME',
    'hsdo \\- keeps services reachable',
    '.SH SYNOPSIS',
    '.B hsdo',
    '[options] \\fIcommand\\fR [arguments]',
    '.br',
    '.B hsdo',
    '\\-\\-server | \\-\\-client | \\-\\-dns | \\-\\-agent [options]',
    '.SH DESCRIPTION',
    'hsdo finds the targets of a service, checks them, and keeps one stable, ordered, weighted list of them in a store.',
    'Clients keep HAProxy in line with that list; DNS can be answered from it, too.',
    'With a role it runs until it is stopped; with a command it asks a running hsdo and prints the answer.',
    '.SH OPTIONS',
    'Those that name an API or a configuration may stand before or after a command.',
    ...options.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...tagged(meanings),
    '.SH ENVIRONMENT',
    'Every parameter of the configuration can be set in the environment as well.',
    ...tagged(variables),
    '.SH FILES',
    ...tagged([['conf/env.yaml', 'The configuration, where --config names no other.']]),
    '.SH SEE ALSO',
    '.BR haproxy (1)',
  ];
  return `${lines.join('\n')}\n`;
}
