import { askingOptions, type CommandSurface, type Offer, type OptionSurface, type Surface } from './surface.ts';

const namesOf = (options: readonly OptionSurface[]) =>
  options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));

/** What goes into the list of offered words. */
function bashOffer(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `_hsdo_words "${offer.words.join(' ')}"`;
    case 'services':
    case 'nodes':
      return `_hsdo_words "$(_hsdo_names ${offer.kind})"`;
    case 'targets':
      return '_hsdo_words "$(_hsdo_names targets "$first")"';
    case 'files':
      return '_hsdo_files';
    case 'nothing':
      return ':';
  }
}

function valueCases(options: readonly OptionSurface[]): readonly string[] {
  return options
    .filter(({ value }) => value !== undefined)
    .map((option) => `${namesOf([option]).join('|')}) ${bashOffer(option.offer)}; return ;;`);
}

function commandCase({ name, options, arguments: args }: CommandSurface): string {
  const positions = args.map(({ offer }, n) => `${n}) ${bashOffer(offer)} ;;`);
  return [
    `    ${name})`,
    ...(options.some(({ value }) => value !== undefined)
      ? [`      case $previous in`, ...valueCases(options).map((line) => `        ${line}`), '      esac']
      : []),
    `      options="$options ${namesOf(options).join(' ')}"`,
    ...(positions.length === 0 ? [] : [`      [[ $current == -* ]] || case $position in ${positions.join(' ')} esac`]),
    '      ;;',
  ].join('\n');
}

const functions = `# bash completion for hsdo; made by: hsdo completion bash
_hsdo_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_hsdo_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
_hsdo_names() { hsdo names "$@" "\${asking[@]}" 2>/dev/null; }
`;

/**
 * A completion script for bash 4 or newer. It reads the line itself instead of COMP_WORDS, which bash breaks at the colons
 * that ids of targets may have. Names are asked of a running hsdo, which has 300 ms to tell them.
 */
export function bashCompletion({ options, commands }: Surface): string {
  const withValue = [options, ...commands.map((command) => command.options)]
    .flat()
    .filter(({ value }) => value !== undefined);
  return `${functions}_hsdo() {
  local line=\${COMP_LINE:0:COMP_POINT} current previous command= first= position=0 options n word
  local -a words asking=()
  read -ra words <<<"$line"
  if [[ $line == *[[:space:]] ]]; then current=; else current=\${words[-1]}; unset 'words[-1]'; fi
  previous=\${words[-1]}
  for ((n = 1; n < \${#words[@]}; n++)); do
    word=\${words[n]}
    case $word in
      ${[...new Set(namesOf(withValue))].join('|')})
        case $word in ${askingOptions.join('|')}) asking+=("$word" "\${words[n + 1]}") ;; esac
        n=$((n + 1)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else [[ $position -gt 0 ]] || first=$word; position=$((position + 1)); fi ;;
    esac
  done
  COMPREPLY=()
  options="${namesOf(options).join(' ')} --help"
  case $previous in
${valueCases(options)
  .map((line) => `    ${line}`)
  .join('\n')}
  esac
  case $command in
    '') [[ $current == -* ]] || _hsdo_words "${commands.map(({ name }) => name).join(' ')}" ;;
${commands.map(commandCase).join('\n')}
  esac
  [[ $current != -* ]] || _hsdo_words "$options"
  # Bash itself replaces only what stands after the last colon.
  local before=\${current%"\${current##*:}"}
  [[ -z $before || $COMP_WORDBREAKS != *:* ]] || COMPREPLY=("\${COMPREPLY[@]#"$before"}")
}
complete -F _hsdo hsdo
`;
}
