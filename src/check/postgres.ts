import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { showEndpoint } from '../model/endpoint.ts';
import { describeError, HsdoError } from '../model/error.ts';
import { failed, type Probe, passed, type Role, unasked } from '../model/probe.ts';
import { secret } from '../model/secret.ts';
import type { Target } from '../model/target.ts';
import { type CheckContext, checkPort, commonOptions, type HealthCheck } from './health-check.ts';
import { type Naming, probeOfFailure, probeOfServerError, type Stage } from './postgres-failure.ts';
import { createLine, type Line } from './postgres-stream.ts';

const name = z
  .string()
  .min(1)
  .max(63, 'expected at most 63 characters, as PostgreSQL has it')
  .refine((text) => !text.includes('\0'), 'expected a name without a null character');
const password = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), 'expected a password without a null character')
  .transform(secret);

export const postgresSchema = z.strictObject({
  kind: z.literal('postgres'),
  ...commonOptions,
  /** What a target must be to pass; `any` asks only for an answer. */
  role: z.enum(['any', 'primary', 'replica']).default('any'),
  port: checkPort,
  /** A role without any privilege suffices; with `pg_monitor` replicas show their timeline, too. */
  user: name,
  password: password.optional(),
  database: name.default('postgres'),
  /** `true` trusts the authorities that Node does and expects the certificate to name the target's address. */
  tls: z
    .union([
      z.boolean(),
      z.strictObject({
        /** PEM file of the authorities to trust instead; relative to the configuration. */
        ca: z.string().min(1).optional(),
        /** Name to expect in the certificate and to ask for; default is the target's address. */
        serverName: z.string().min(1).max(253).optional(),
        /** Accepts any certificate: encrypted, but with whom is not known. */
        ignoreErrors: z.boolean().default(false),
      }),
    ])
    .default(false),
  /** What differs for one target, by its id, name or address. */
  targets: z
    .record(
      z.string(),
      z.strictObject({
        port: checkPort,
        user: name.optional(),
        password: password.optional(),
        database: name.optional(),
      }),
    )
    .default({}),
});

type PostgresConfig = z.output<typeof postgresSchema>;
type Pg = typeof import('pg');

const defaultPort = 5432;

/**
 * One round trip. On a primary the timeline is the one that it writes now, by the name of its WAL file (PostgreSQL manual,
 * 9.27.3 and 26.3.5): `pg_control_checkpoint()` shows the one of the last checkpoint, which after a promotion is the
 * old one until the next has ended. On a replica it is the one that it receives, shown to members of pg_monitor alone.
 */
const question = `select pg_is_in_recovery(), case when pg_is_in_recovery()
  then (select lpad(to_hex(received_tli), 8, '0') from pg_stat_wal_receiver)
  else left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) end`;
/** For servers that speak PostgreSQL's protocol but have no such timelines. */
const lesserQuestion = 'select pg_is_in_recovery(), null';
/** Syntax error or access rule violation, feature not supported, object not in prerequisite state (appendix A). */
const cannotTellTimeline = /^(42|0A|55)/;

/** Loads `pg` when the first probe needs it. @throws HsdoError `config` naming the package when it is missing. */
export async function loadPg(load: () => Promise<Pg> = () => import('pg')): Promise<Pg> {
  try {
    return await load();
  } catch (cause) {
    const message = 'Cannot ask PostgreSQL: the package "pg" is not installed, expected it (npm install pg)';
    throw new HsdoError('config', message, { cause });
  }
}

interface Access extends Naming {
  readonly address: string;
  readonly port: number;
}

/** One short connection with one question per probe; see `ProbeCode` and postgres-failure.ts for what means what. */
export function createPostgresCheck(config: PostgresConfig, { clock, baseFolder = '.' }: CheckContext): HealthCheck {
  const own = new Map(Object.entries(config.targets));

  function accessTo({ id, name: called, address, port }: Target): Access {
    const special = own.get(id) ?? own.get(called) ?? own.get(address);
    const asked = special?.port ?? config.port ?? port ?? defaultPort;
    return {
      address,
      port: asked,
      where: showEndpoint(address, asked),
      user: special?.user ?? config.user,
      database: special?.database ?? config.database,
      password: (special?.password ?? config.password)?.reveal() ?? '',
    };
  }

  async function tlsFor(address: string): Promise<Parameters<typeof createLine>[0]['tls']> {
    if (config.tls === false) return undefined;
    const { ca, serverName, ignoreErrors } = config.tls === true ? { ignoreErrors: false } : config.tls;
    const authorities = ca === undefined ? {} : { ca: await readFile(resolve(baseFolder, ca)) };
    return { name: serverName ?? address, options: { ...authorities, rejectUnauthorized: !ignoreErrors } };
  }

  async function ask(access: Access, line: Line, startedAt: number, pg: Pg): Promise<Probe> {
    let stage: Stage = 'connect';
    try {
      await line.connect();
      const connectMs = clock.monotonic() - startedAt;
      stage = 'tls';
      await line.encrypt();
      stage = 'login';
      const client = createClient(pg, access, line);
      await client.connect();
      stage = 'query';
      const row = await readRow(pg, client);
      const facts = { connectMs, totalMs: clock.monotonic() - startedAt };
      line.finish();
      return judge(row, config.role, facts, access.where);
    } catch (error) {
      const isServers = error instanceof pg.DatabaseError && error.code !== undefined;
      if (isServers) return probeOfServerError({ code: error.code ?? '', message: error.message }, access);
      return probeOfFailure(error, stage, access);
    }
  }

  return {
    async check(target, signal) {
      const pg = await loadPg();
      const access = accessTo(target);
      let tls: Awaited<ReturnType<typeof tlsFor>>;
      try {
        tls = await tlsFor(access.address);
      } catch (error) {
        return unasked('error', `Cannot ask PostgreSQL at ${access.where}: no authorities: ${describeError(error)}`);
      }
      signal.throwIfAborted();
      const line = createLine({ address: access.address, port: access.port, ...(tls === undefined ? {} : { tls }) });
      signal.addEventListener('abort', line.cut, { once: true });
      try {
        const probe = await ask(access, line, clock.monotonic(), pg);
        signal.throwIfAborted();
        return probe;
      } finally {
        signal.removeEventListener('abort', line.cut);
        line.cut();
      }
    },
  };
}

/** What `pg` would else take from the environment or from ~/.pgpass, such as a user's own PGPASSWORD, is given here. */
function createClient(pg: Pg, { user, password: word, database }: Naming, line: Line): InstanceType<Pg['Client']> {
  const settings = {
    user,
    database,
    // As a function, so that no password means none.
    password: () => word,
    stream: () => line.stream(),
    ssl: false,
    sslnegotiation: 'postgres' as const,
    application_name: 'hsdo',
    client_encoding: 'utf8',
  };
  const client = new pg.Client(settings);
  // Every failure also rejects what waits for it; without this listener the event would end the process.
  client.on('error', () => {});
  return client;
}

/** Values as the text that came, so that nothing depends on types that the server claims. */
const asText = { getTypeParser: () => String };

async function readRow(pg: Pg, client: InstanceType<Pg['Client']>): Promise<readonly unknown[]> {
  const read = async (text: string) => {
    const result = await client.query<unknown[]>({ text, rowMode: 'array', types: asText as never });
    return Array.isArray(result.rows) && result.rows.length === 1 ? (result.rows[0] ?? []) : [];
  };
  try {
    return await read(question);
  } catch (error) {
    if (error instanceof pg.DatabaseError && cannotTellTimeline.test(error.code ?? '')) return read(lesserQuestion);
    throw error;
  }
}

function judge(
  [inRecovery, timelineText]: readonly unknown[],
  wanted: PostgresConfig['role'],
  times: { readonly connectMs: number; readonly totalMs: number },
  where: string,
): Probe {
  const role: Role | undefined = inRecovery === 't' ? 'replica' : inRecovery === 'f' ? 'primary' : undefined;
  if (role === undefined) {
    return failed('protocol', `PostgreSQL at ${where} did not say whether it is in recovery, expected yes or no`);
  }
  const isTimeline = typeof timelineText === 'string' && /^[0-9A-Fa-f]{8}$/.test(timelineText);
  const timeline = isTimeline ? Number.parseInt(timelineText, 16) : 0;
  const facts = { ...times, role, ...(timeline > 0 ? { timeline } : {}) };
  const found = `PostgreSQL at ${where} is a ${role}${timeline > 0 ? ` on timeline ${timeline}` : ''}`;
  if (wanted === 'any' || wanted === role) return passed(found, facts);
  return failed(wanted === 'primary' ? 'not-primary' : 'not-replica', `${found}, expected a ${wanted}`, facts);
}
