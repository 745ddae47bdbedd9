import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPostgresCheck, loadPg, postgresSchema } from '../../../src/check/postgres.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { freePort } from '../../fixtures/ports.ts';
import {
  authenticated,
  type Impostors,
  message,
  probePostgres,
  ready,
  row,
  serverError,
  startImpostors,
} from '../../fixtures/postgres-impostor.ts';
import { until } from '../../fixtures/until.ts';

const login = { user: 'checker', password: 'pass-word' };
const wantsClearText = message('R', [0, 0, 0, 3]);

let impostors: Impostors;

beforeEach(() => {
  impostors = startImpostors();
});
afterEach(() => {
  expect(impostors.stop()).toEqual([]);
});

describe('the options of the check', () => {
  it('have defaults as PostgreSQL has them', () => {
    expect(postgresSchema.parse({ kind: 'postgres', user: 'x' })).toMatchObject({
      role: 'any',
      database: 'postgres',
      tls: false,
      targets: {},
    });
  });

  it('hide the passwords', () => {
    const targets = { a: { password: 'pass-word' } };
    const config = postgresSchema.parse({ kind: 'postgres', ...login, targets });
    expect(JSON.stringify(config)).not.toContain('pass-word');
  });

  it('are refused when they are unknown or can never be', () => {
    const faults = (options: object) =>
      postgresSchema
        .safeParse({ kind: 'postgres', ...login, ...options })
        .error?.issues.map(({ path }) => path.join('.'));
    expect(faults({ role: 'master' })).toEqual(['role']);
    expect(faults({ user: '' })).toEqual(['user']);
    expect(faults({ user: 'x'.repeat(64) })).toEqual(['user']);
    expect(faults({ database: 'a\0b' })).toEqual(['database']);
    expect(faults({ port: 70_000 })).toEqual(['port']);
    expect(faults({ targets: { a: { prot: 1 } } })).toEqual(['targets.a']);
    expect(faults({ tls: { cert: 'x' } })).toEqual(['tls']);
  });

  it('need the package pg, and say so where it is missing', async () => {
    const missing = loadPg(() => import('no-such-package' as 'pg'));
    await expect(missing).rejects.toMatchObject({ code: 'config', message: expect.stringContaining('"pg"') });
  });
});

describe('the port that is asked', () => {
  it('is refused where nobody listens', async () => {
    const port = await freePort();
    expect(await probePostgres(port)).toEqual({
      result: 'down',
      code: 'refused',
      message: `Nobody listens at 127.0.0.1:${port}, expected PostgreSQL`,
    });
  });

  it('is asked at the port of the check or of its own entry first', async () => {
    const port = await freePort();
    const nobody = `Nobody listens at 127.0.0.1:${port},`;
    expect((await probePostgres(1, { port })).message).toContain(nobody);
    expect((await probePostgres(1, { port: 2, targets: { db: { port } } })).message).toContain(nobody);
  });
});

describe('an error that the server sends', () => {
  it.each([
    ['28P01', 'down', 'login'],
    ['28000', 'down', 'login'],
    ['3D000', 'down', 'login'],
    ['53300', 'unknown', 'full'],
    ['57P03', 'down', 'status'],
    ['XX000', 'down', 'status'],
  ])('with SQLSTATE %s makes the target %s: %s', async (state, result, code) => {
    const found = await probePostgres(await impostors.answering(serverError(state, 'some words')));
    expect(found).toMatchObject({ result, code, message: expect.stringContaining(`"some words" (SQLSTATE ${state})`) });
    await impostors.allClosed();
  });

  it('never brings the password back into a sentence, nor anything that a terminal obeys', async () => {
    const port = await impostors.listen((socket) => {
      socket.once('data', () => {
        socket.write(wantsClearText);
        socket.once('data', (answer) => {
          const told = answer.subarray(5, -1).toString();
          socket.end(serverError('28P01', `\x1b[31mwho is ${told}?\n${'x'.repeat(500)}`));
        });
      });
    });
    const found = await probePostgres(port);
    expect(found.message).toMatch(/says "\?\[31mwho is \*\*\*\?\?x+\.\.\."/);
    expect(found.message.length).toBeLessThanOrEqual(300);
  });
});

describe('an answer', () => {
  it('is asked for without the timeline where the server knows none', async () => {
    const refusal = Buffer.concat([message('E', 'SERROR\0C42883\0Mno such function\0', [0]), ready]);
    const found = await probePostgres(await impostors.answeringQueries(refusal, row('f', 'x')));
    expect(found).toMatchObject({ result: 'up', code: 'ok', role: 'primary' });
    expect(found.timeline).toBeUndefined();
    await impostors.allClosed();
  });

  it('with the timeline FFFFFFFF is the largest there is', async () => {
    expect(await probePostgres(await impostors.answeringQueries(row('f', 'FFFFFFFF')))).toMatchObject({
      timeline: 4_294_967_295,
    });
  });

  it.each([[['yes', '00000001']], [['f', '-1']], [['f']], [['t', 'f', 't']]])(
    'of %j is believed as far as it can be',
    async (values) => {
      const found = await probePostgres(await impostors.answeringQueries(row(...values)));
      expect(found.timeline).toBeUndefined();
      expect(found.code).toBe(values[0] === 'yes' ? 'protocol' : 'ok');
      await impostors.allClosed();
    },
  );
});

describe('a probe', () => {
  it('rejects with the reason of its signal, and closes everything at once', async () => {
    const port = await impostors.answering(authenticated);
    const check = createPostgresCheck(postgresSchema.parse({ kind: 'postgres', ...login }), {
      service: 'db',
      clock: systemClock,
    });
    const own = new AbortController();
    const asked = check.check({ id: 'db', name: 'db', address: '127.0.0.1', port, group: 'db' }, own.signal);
    await until('it is connected', () => impostors.openConnections() === 1);
    own.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await impostors.allClosed();
  });
});
