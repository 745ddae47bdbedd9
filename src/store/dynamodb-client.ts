import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HsdoError } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import { withDeadline } from '../time/deadline.ts';
import { awsFailure } from './dynamodb-failure.ts';

/** How DynamoDB is reached; what is absent comes from the SDK's own chain: environment, profiles, instance role. */
export interface DynamoAccess {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: Credentials | undefined;
  /** Limit of one request; a call makes three at most. */
  readonly requestTimeoutMs: number;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken?: Secret | undefined;
}

/** Requests that the SDK makes for one call, the first one included. */
const attempts = 3;
/** Pauses that the SDK makes between them, at most, when it is throttled. */
const pausesMs = 1500;

type Sdk = typeof import('@aws-sdk/client-dynamodb');

/** The SDK, loaded when a configuration names DynamoDB and not before, with one client for all tables. */
export interface Dynamo {
  readonly sdk: Sdk;
  readonly client: DynamoDBClient;
  /** All attempts of one call together may take this long. */
  readonly callTimeoutMs: number;
}

export async function openDynamo(access: DynamoAccess): Promise<Dynamo> {
  const sdk = await import('@aws-sdk/client-dynamodb');
  const { requestTimeoutMs, credentials, region, profile, endpoint } = access;
  const client = new sdk.DynamoDBClient({
    maxAttempts: attempts,
    // The SDK has no time-out of its own, and without the last option it only warns.
    requestHandler: {
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: reveal(credentials) }),
  });
  return { sdk, client, callTimeoutMs: attempts * requestTimeoutMs + pausesMs };
}

function reveal({ accessKeyId, secretAccessKey, sessionToken }: Credentials) {
  const pair = { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
  return sessionToken === undefined ? pair : { ...pair, sessionToken: sessionToken.reveal() };
}

/** One table and what is expected of it; nothing is asked of DynamoDB before the first use, so a process starts without it. */
export interface Table {
  readonly dynamo: Dynamo;
  readonly name: string;
  /** The key that it must have, in words for people: `BackendServerID (N)`. */
  readonly key: string;
}

/**
 * Runs one read within its deadline.
 *
 * @param what completes "Cannot ... in table x", such as `read "lease"`
 * @throws HsdoError as {@link awsFailure} says, or the signal's reason
 */
export async function ask<T>(
  table: Table,
  what: string,
  signal: AbortSignal,
  send: (options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const { callTimeoutMs } = table.dynamo;
  const action = `${what} in table "${table.name}"`;
  try {
    return await withDeadline(`DynamoDB, asked to ${action},`, callTimeoutMs, signal, (abortSignal) =>
      send({ abortSignal }),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof HsdoError ? error : awsFailure(`Cannot ${action}`, table.key, error);
  }
}
