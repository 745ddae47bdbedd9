import { type Cast, createCast } from './cast.ts';

const millisecondsOf = (text = ''): number => {
  const [, value, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (value === undefined) throw new Error(`"${text}" is no time; expected 100ms, 5s or 2m`);
  return Number(value) * ({ ms: 1, s: 1000, m: 60_000 }[unit ?? ''] ?? Number.NaN);
};

/** `size=4 drainSeconds=5 guard.confirmReads=3` as the nested form of a service. */
function settingsOf(words: readonly string[]): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const word of words) {
    const [path = '', text = ''] = word.split('=');
    const [outer = '', inner] = path.split('.');
    const value: unknown = Number.isNaN(Number(text)) ? text : Number(text);
    settings[outer] = inner === undefined ? value : { ...(settings[outer] as object | undefined), [inner]: value };
  }
  return settings;
}

/** Names before a colon say whom a command is about; without them it is about everybody. */
function addressees(words: readonly string[]): { readonly of: readonly string[]; readonly rest: readonly string[] } {
  const colon = words.findIndex((word) => word.endsWith(':'));
  if (colon < 0) return { of: [], rest: words };
  return { of: words.slice(0, colon + 1).map((word) => word.replace(/:$/, '')), rest: words.slice(colon + 1) };
}

/** Does one line of a story; resolves with what it prints. */
async function act(cast: Cast, line: string): Promise<readonly string[]> {
  const { of, rest } = addressees(line.split(/\s+/));
  const [command = '', ...words] = rest;
  switch (command) {
    case 'settings':
      cast.settings(settingsOf(words));
      return [];
    case 'start':
      for (const name of words) await cast.start(name);
      return [];
    case 'kill':
    case 'stop':
      for (const name of words) await cast.end(name, command === 'stop');
      return [];
    case 'pause':
    case 'resume':
      cast.change('isPaused', command === 'pause', words);
      return [];
    case 'pause-in-commit':
      cast.change('pausesInCommit', true, words);
      return [];
    case 'targets':
      cast.targets(words, of);
      return [];
    case 'sick':
    case 'flaky':
      cast.ail(command, words, of);
      return [];
    case 'source':
      cast.change('isSourceAway', words[0] === 'away', of);
      return [];
    case 'store':
      cast.change('isStoreAway', words[0] === 'away', of);
      return [];
    case 'hsdo-list':
      cast.leave(words);
      return [];
    case 'override':
      await cast.override(words[0] ?? '', words[1] ?? '');
      return [];
    case 'switchover':
      await cast.switchover(words[0]);
      return [];
    case 'purge':
      await cast.switchover(undefined);
      return [];
    case 'release':
      await cast.release();
      return [];
    case 'wait':
      await cast.advance(millisecondsOf(words[0]));
      return cast.told();
    case 'show':
      return cast.show();
    default:
      throw new Error(`no story knows the command "${command}"`);
  }
}

/**
 * Plays a story and gives it back with what really happened. Blocks are commands, `----`, and their output up to an
 * empty line; lines that begin with # tell a person what is going on.
 */
export async function playStory(text: string): Promise<string> {
  const cast = createCast();
  try {
    const blocks = text.trimEnd().split(/\n\n+/);
    const played: string[] = [];
    for (const block of blocks) {
      const [commands = '', expected] = block.split(/^----$/m);
      const lines = commands.trimEnd().split('\n');
      const output: string[] = [];
      for (const line of lines) if (!line.startsWith('#')) output.push(...(await act(cast, line.trim())));
      const isOnlyWords = expected === undefined && lines.every((line) => line.startsWith('#'));
      played.push(isOnlyWords ? lines.join('\n') : [...lines, '----', ...output].join('\n'));
    }
    return `${played.join('\n\n')}\n`;
  } finally {
    await cast.close();
  }
}
