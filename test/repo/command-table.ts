import { createProgram } from '../../src/cli/program.ts';
import { surfaceOf } from '../../src/cli/surface.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** Every command that help shows, with its arguments and options, as a table for docs/operating.md. */
export function commandTable(): string {
  const rows = surfaceOf(createProgram()).commands.map(({ name, description, options, arguments: args }) => {
    const places = args.map((argument) =>
      argument.isRequired ? argument.name.toUpperCase() : `[${argument.name.toUpperCase()}]`,
    );
    const shown = options.map(({ long }) => `\`${long}\``).join(' ');
    return `| \`${['hsdo', name, ...places].join(' ')}\` | ${cell(description)} | ${shown} |`;
  });
  return ['', '| command | what it does | options |', '|---|---|---|', ...rows, ''].join('\n');
}
