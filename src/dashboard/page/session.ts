// The token lives as long as the tab and is sent to nobody but the API that handed out this page.

const storageKey = 'hsdo-token';

/** The token of this tab, if it was given one. */
export const storedToken = (): string | undefined => sessionStorage.getItem(storageKey) ?? undefined;

/** Keeps a token for this tab; `undefined` forgets it. */
export function keepToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, token);
}

/** What a request needs besides its address. */
function headersFor(more: Readonly<Record<string, string>>): Headers {
  const headers = new Headers(more);
  const token = storedToken();
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  return headers;
}

/** Asks the API; the address is relative to the page, so that it may lie behind a proxy under a path of its own. */
export function ask(path: string, signal: AbortSignal, accept = 'application/json'): Promise<Response> {
  return fetch(`api/v1/${path}`, { headers: headersFor({ accept }), cache: 'no-store', signal });
}

/** A change, or what may keep the API from taking it. */
export interface Wish {
  readonly method: 'POST' | 'DELETE';
  /** Below `api/v1/`. */
  readonly path: string;
  readonly body?: Readonly<Record<string, string>>;
}

/** Asks for a change. Rejects with the API's own sentence when it is refused. */
export async function change({ method, path, body = {} }: Wish): Promise<void> {
  const answer = await fetch(`api/v1/${path}`, {
    method,
    headers: headersFor({ 'content-type': 'application/json' }),
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
  if (!answer.ok) throw new Error(await refusalOf(answer));
}

/** Why the API refused, in its own words where it gave any. */
export async function refusalOf(answer: Response): Promise<string> {
  const content = (await answer.json().catch(() => undefined)) as { readonly error?: unknown } | undefined;
  return typeof content?.error === 'string' ? content.error : `the API answered ${answer.status}`;
}
