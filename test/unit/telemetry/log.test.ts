import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startProgram } from '../../fixtures/program.ts';

const src = fileURLToPath(new URL('../../../src/', import.meta.url));
const script = `
  import { HsdoError } from '${src}model/error.ts';
  import { secret } from '${src}model/secret.ts';
  import { createLog, createStreak } from '${src}telemetry/log.ts';
  for (const [format, level] of [['auto', 'info'], ['text', 'debug']]) {
    const log = createLog({ format, level });
    log.debug({ slot: 1 }, 'a detail');
    const error = new HsdoError('unavailable', 'Cannot close it', { cause: new Error('it is gone') });
    log.warn({ error, token: secret('hunter2') }, 'closing failed');
    const streak = createStreak(log, 'reading', { service: 'web' });
    for (const reason of ['away', 'away', 'refused']) streak.failed(reason);
    streak.worked();
  }
`;

describe('the log', () => {
  it('is a JSON object a line where nobody sits, and text where that is wanted, without colours in a file', async () => {
    const program = startProgram(process.execPath, [
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
      '--eval',
      script,
    ]);
    expect(await program.exited).toBe(0);
    await program.closed;
    expect(program.stdout()).toBe('');
    const all = program.stderr();
    const json = all.split('\n').filter((line) => line.startsWith('{'));
    const lines = json.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ time: _time, pid: _pid, ...rest }) => rest)).toEqual([
      {
        level: 40,
        error: 'Cannot close it: it is gone',
        token: expect.not.stringContaining('hunter2'),
        msg: 'closing failed',
      },
      { level: 40, service: 'web', reason: 'away', msg: 'reading fails' },
      { level: 40, service: 'web', reason: 'refused', msg: 'reading fails' },
      { level: 30, service: 'web', failures: 3, msg: 'reading works again' },
    ]);
    const text = all.split('\n').filter((line) => !line.startsWith('{'));
    expect(text.map((line) => line.replace(/^\[.*?\] /, ''))).toEqual([
      'DEBUG: a detail  slot=1',
      expect.stringMatching(/^WARN: closing failed {2}error="Cannot close it: it is gone" {2}token=\S+$/),
      'WARN: reading fails  service=web  reason=away',
      'WARN: reading fails  service=web  reason=refused',
      'INFO: reading works again  service=web  failures=3',
      '',
    ]);
    expect(all).not.toContain('hunter2');
    expect(all).not.toContain('\u001b');
  });
});
