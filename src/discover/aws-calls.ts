import { describeError, HsdoError } from '../model/error.ts';
import type { SourceContext } from './source.ts';

/** Errors by which AWS says that an identity is known and may not do this. */
const denials = /^(AccessDenied(Exception)?|UnauthorizedOperation|UnauthorizedException|NotAuthorized)$/;
/** Errors by which AWS says that it does not believe who is asking; new credentials need a person. */
const strangers =
  /^(AuthFailure|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidAccessKeyId|OptInRequired|MissingAuthenticationToken)$/;

/**
 * Settings for every client of the AWS SDK. Region and profile are handed over, since the SDK for JavaScript does not
 * read AWS_DEFAULT_REGION; without them its own chain decides. It has no time-outs of its own, and `requestTimeout`
 * alone only warns. Two attempts: the loop around the source tries again anyway.
 */
export function clientSettings(
  own: {
    readonly region?: string | undefined;
    readonly profile?: string | undefined;
    readonly endpoint?: string | undefined;
  },
  process: SourceContext['aws'],
) {
  const region = own.region ?? process.region;
  const profile = own.profile ?? process.profile;
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(own.endpoint === undefined ? {} : { endpoint: own.endpoint }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
  };
}

/** Turns what a call of the SDK throws into an HsdoError that names the call, which is also the right that it needs. */
export function awsFailure(action: string, signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    signal.throwIfAborted();
    if (error instanceof HsdoError) throw error;
    const name = error instanceof Error ? error.name : '';
    if (denials.test(name)) {
      throw new HsdoError('rejected', `AWS refuses ${action}: the role or user needs this permission`, {
        cause: error,
      });
    }
    if (strangers.test(name)) {
      throw new HsdoError('rejected', `AWS refuses ${action}: it does not accept the credentials`, { cause: error });
    }
    if (name === 'CredentialsProviderError' || describeError(error).includes('Region is missing')) {
      const wanted = 'expected a region and credentials from configuration, environment, profile or instance role';
      throw new HsdoError('unavailable', `Cannot call ${action}: ${wanted}`, { cause: error });
    }
    throw new HsdoError('unavailable', `${action} failed`, { cause: error });
  };
}
