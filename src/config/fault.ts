/** One thing that is wrong with the configuration. */
export interface Fault {
  /** Where the value came from: a file with its line, or the environment. */
  readonly place: string;
  /** The parameter, as a path: `services[0].haproxy.sockets[1]` or `HAPROXY_BACKEND_SERVER_PORT`. */
  readonly path: string;
  /** The value as a person wrote it; absent where something is missing, `***` where it is a secret. */
  readonly value?: string;
  /** What was expected instead. */
  readonly expected: string;
}

/** The fault as one line, in the form that editors understand. */
export function showFault({ place, path, value, expected }: Fault): string {
  return value === undefined ? `${place}: ${path}: ${expected}` : `${place}: ${path}: ${value} is wrong: ${expected}`;
}

const secretName = /token|password|secret|credential|authorization|cookie|api-?key|join-?code/i;
/** Everything below these may be a secret, whatever its own name: headers and texts of a check, the environment of an executable. */
const secretPart = /(^|\.)(check|switch)\.(headers|body|send|env)\b/;

/** Places outside whose whole URL is a secret. */
const secretUrl = /^(notify\[\d+\]|heartbeatPing)\.(url|headers)\b/;

/** True for a name under which a secret stands. */
export const isSecretName = (name: string): boolean => secretName.test(name);

/**
 * A value for a person's eyes: quoted, shortened, and hidden when its name says that it is a secret; so is what stands
 * before the @ of a URL.
 */
export function showValue(path: string, value: unknown): string {
  if (secretName.test(path) || secretPart.test(path) || secretUrl.test(path)) return '***';
  const text = JSON.stringify(value, (key, inner: unknown) => (secretName.test(key) ? '***' : inner)) ?? String(value);
  const shown = text.replaceAll(/\/\/[^/\s"@]*@/g, '//***@');
  return shown.length > 100 ? `${shown.slice(0, 97)}...` : shown;
}
