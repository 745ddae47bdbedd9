import { askingOptions, type CommandSurface, type Offer, type OptionSurface, type Surface } from './surface.ts';

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** What `complete` is told of a value: what is offered, and that nothing else, or files, too. */
function fishOffer(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `-x -a ${quoted(offer.words.join(' '))}`;
    case 'services':
    case 'nodes':
    case 'targets':
      return `-x -a '(__hsdo_names ${offer.kind})'`;
    case 'files':
      return '-r -F';
    case 'nothing':
      return '-x';
  }
}

function optionLine(condition: string, { long, short, value, description, offer }: OptionSurface): string {
  const names = [...(short === undefined ? [] : [`-s ${short.slice(1)}`]), `-l ${long.slice(2)}`].join(' ');
  return `complete -c hsdo${condition} ${names}${value === undefined ? '' : ` ${fishOffer(offer)}`} -d ${quoted(description)}`;
}

function commandLines({ name, options, arguments: args }: CommandSurface): readonly string[] {
  const is = ` -n '__hsdo_is ${name}'`;
  return [
    ...options.map((option) => optionLine(is, option)),
    ...args.flatMap(({ offer }, n) =>
      offer.kind === 'nothing' ? [] : [`complete -c hsdo -n '__hsdo_is ${name} ${n}' ${argumentOffer(offer)}`],
    ),
  ];
}

const argumentOffer = (offer: Offer) => (offer.kind === 'files' ? '-F' : fishOffer(offer).replace(/^-x/, '-f'));

const functions = (withValue: readonly string[]) => `# fish completion for hsdo; made by: hsdo completion fish
function __hsdo_words --description 'Command and arguments, without options'
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${withValue.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end
function __hsdo_is --description 'Whether this command stands there, with so many arguments'
    set -l words (__hsdo_words)
    test "$words[1]" = $argv[1]; or return 1
    test (count $argv) -lt 2; or test (count $words) -eq (math $argv[2] + 1)
end
function __hsdo_names --description 'Names that a running hsdo knows'
    set -l line (commandline -opc)
    set -l asking
    for n in (seq (count $line))
        if contains -- $line[$n] ${askingOptions.join(' ')}
            set -a asking $line[$n] $line[(math $n + 1)]
        end
    end
    if test $argv[1] = targets
        set -a argv (__hsdo_words)[2]
    end
    hsdo names $argv $asking 2>/dev/null
end
`;

/** A completion script for fish 3. */
export function fishCompletion({ options, commands }: Surface): string {
  const all = [options, ...commands.map((command) => command.options)].flat();
  const withValue = all
    .filter(({ value }) => value !== undefined)
    .flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
  return `${functions([...new Set(withValue)])}complete -c hsdo -f
${[...options.map((option) => optionLine('', option)), "complete -c hsdo -s h -l help -d 'display help'"].join('\n')}
${commands.map(({ name, description }) => `complete -c hsdo -n 'test -z "$(__hsdo_words)"' -a ${name} -d ${quoted(description)}`).join('\n')}
${commands.flatMap(commandLines).join('\n')}
`;
}
