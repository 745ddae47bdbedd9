import {
  type ArgumentSurface,
  askingOptions,
  type CommandSurface,
  type Offer,
  type OptionSurface,
  type Surface,
} from './surface.ts';

/** In single quotes, with what _arguments reads as its own signs made plain. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (text: string) => text.replaceAll(/([\\:[\]])/g, '\\$1');

function zshOffer(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `(${offer.words.join(' ')})`;
    case 'services':
    case 'nodes':
    case 'targets':
      return `_hsdo_${offer.kind}`;
    case 'files':
      return '_files';
    case 'nothing':
      return ' ';
  }
}

function optionSpecs({ long, short, value, description, offer }: OptionSurface): readonly string[] {
  const rest = `[${plain(description)}]${value === undefined ? '' : `:${plain(value)}:${zshOffer(offer)}`}`;
  const all = short === undefined ? [long] : [short, long];
  const others = all.length > 1 ? `(${all.join(' ')})` : '';
  return all.map((name) => quoted(`${others}${name}${rest}`));
}

const argumentSpec = ({ name, isRequired, offer }: ArgumentSurface, n: number) =>
  quoted(`${n + 1}${isRequired ? '' : ':'}:${plain(name)}:${zshOffer(offer)}`);

function commandCase(command: CommandSurface): string {
  const specs = [...command.options.flatMap(optionSpecs), ...command.arguments.map(argumentSpec)];
  return `        ${command.name}) _arguments ${['$global', ...specs].join(' ')} ;;`;
}

/** A completion script for zsh 5, as a function file `_hsdo` for a folder in $fpath, or to be sourced after compinit. */
export function zshCompletion({ options, commands }: Surface): string {
  const described = commands.map(({ name, description }) => quoted(`${name}:${description}`));
  return `#compdef hsdo
# zsh completion for hsdo; made by: hsdo completion zsh
_hsdo_asked() {
  local -a names asking=()
  local n
  for ((n = 1; n < \${#_hsdo_line}; n++)); do
    case $_hsdo_line[n] in (${askingOptions.join('|')}) asking+=($_hsdo_line[n] $_hsdo_line[n+1]) ;; esac
  done
  names=(\${(f)"$(hsdo names "$@" $asking 2>/dev/null)"})
  compadd -a names
}
_hsdo_services() { _hsdo_asked services }
_hsdo_nodes() { _hsdo_asked nodes }
_hsdo_targets() { _hsdo_asked targets $line[1] }
_hsdo() {
  local -a line state global commands _hsdo_line=($words)
  local curcontext=$curcontext
  global=(${[...options.flatMap(optionSpecs), "'--help[display help]'"].join(' ')})
  commands=(${described.join(' ')})
  _arguments -C $global '1:command:->command' '*::arguments:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac ;;
  esac
}
if [[ \${funcstack[1]} = _hsdo ]]; then _hsdo "$@"; else compdef _hsdo hsdo; fi
`;
}
