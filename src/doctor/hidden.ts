import { isSecret, type Secret, withoutSecrets } from '../model/secret.ts';

/** What takes every secret of a configuration out of a text: whoever is asked may repeat what it was given. */
export function hiding(config: unknown): (text: string) => string {
  const secrets = secretsIn(config);
  return (text) => withoutSecrets(text, secrets);
}

function secretsIn(value: unknown): readonly Secret[] {
  if (isSecret(value)) return [value];
  return typeof value !== 'object' || value === null ? [] : Object.values(value).flatMap(secretsIn);
}
