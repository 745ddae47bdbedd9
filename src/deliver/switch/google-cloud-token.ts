import { resolve } from 'node:path';
import type { AuthClient, GoogleAuth } from 'google-auth-library';
import { describeError, HsdoError } from '../../model/error.ts';
import { isSafeUrl } from './options.ts';

/** An access token for Google's interfaces, asked for when it is needed and kept while it is good. */
export interface GoogleToken {
  /** @throws HsdoError `rejected` for credentials that are missing or not accepted, `unavailable` otherwise. */
  read(): Promise<string>;
  /** Forgets what was refused, so that the next one is asked for anew. */
  forget(): void;
}

export interface GoogleCredentials {
  /** Key file of a service account, relative to `baseFolder`; without it, what the machine has. */
  readonly credentialsPath?: string | undefined;
  readonly project: string;
  readonly baseFolder: string;
}

type Library = Pick<typeof import('google-auth-library'), 'GoogleAuth'>;

/** Where the library asks for tokens whatever the key file says. */
const usualTokenUrl = 'https://oauth2.googleapis.com/token';
const scopes = ['https://www.googleapis.com/auth/compute'];

/**
 * Google's own library, an optional package, signs and refreshes. It finds the credentials of the machine where no file
 * is given (GOOGLE_APPLICATION_CREDENTIALS, gcloud's, the metadata server).
 *
 * @param load - Where the library comes from.
 */
export function createGoogleToken(
  { credentialsPath, project, baseFolder }: GoogleCredentials,
  load: () => Promise<Library> = () => import('google-auth-library'),
): GoogleToken {
  let opened: Promise<AuthClient> | undefined;

  async function open(): Promise<AuthClient> {
    const { GoogleAuth } = await load().catch((error: unknown) => {
      const action =
        'The switcher "google-cloud" needs the package google-auth-library: npm install google-auth-library@10';
      throw new HsdoError('rejected', action, { cause: error });
    });
    const auth = new GoogleAuth({
      scopes,
      // Else it looks for a project of its own, which nobody needs: by running gcloud, for seconds.
      projectId: project,
      ...(credentialsPath === undefined ? {} : { keyFilename: resolve(baseFolder, credentialsPath) }),
    });
    const client = await auth.getClient();
    const tokenUrl = tokenUrlOf(auth);
    if (tokenUrl !== undefined) {
      client.transporter.interceptors.request.add({
        resolved: async (request) => (String(request.url) === usualTokenUrl ? { ...request, url: tokenUrl } : request),
      });
    }
    return client;
  }

  return {
    async read() {
      opened ??= open();
      try {
        const { token } = await (await opened).getAccessToken();
        if (typeof token === 'string' && token !== '') return token;
        throw new HsdoError('unavailable', 'Google answered without a token');
      } catch (error) {
        opened = undefined;
        throw toHsdoError(error, credentialsPath);
      }
    },
    forget() {
      opened = undefined;
    },
  };
}

/** The `token_uri` of a key file, which leads elsewhere than usual for private installations. */
function tokenUrlOf({ jsonContent }: GoogleAuth): URL | undefined {
  const told = (jsonContent as { readonly token_uri?: unknown } | null)?.token_uri;
  if (typeof told !== 'string' || told === usualTokenUrl) return undefined;
  if (isSafeUrl(told)) return new URL(told);
  throw new HsdoError('rejected', `The key file's token_uri is "${told.slice(0, 100)}"; expected https://...`);
}

/** The library's errors hold requests, and those the signed assertion: only their words are kept. */
function toHsdoError(error: unknown, path: string | undefined): HsdoError {
  if (error instanceof HsdoError) return error;
  const {
    code,
    response,
    status = response?.status,
  } = error as {
    readonly code?: string;
    readonly status?: number;
    readonly response?: { readonly status?: number };
  };
  const place = path === undefined ? 'the credentials of this machine' : `the credentials in "${path}"`;
  const isRefused = status !== undefined && status >= 400 && status < 500 && status !== 429;
  const isOurs = status === undefined && (code === undefined || ['ENOENT', 'EACCES', 'EISDIR'].includes(code));
  const reason = `Cannot get a token of Google with ${place}: ${describeError(error)}`;
  return new HsdoError(isRefused || isOurs ? 'rejected' : 'unavailable', reason);
}
