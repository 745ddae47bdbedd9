/** What takes every secret of a configuration out of a text: whoever is asked may repeat what it was given. */
export function hiding(config: unknown): (text: string) => string {
  // Longer ones first, since one may be a part of another.
  const values = secretsIn(config).sort((one, other) => other.length - one.length);
  return (text) => values.reduce((rest, value) => rest.replaceAll(value, '***'), text);
}

function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('reveal' in value && typeof value.reveal === 'function') {
    const text = String(value.reveal());
    return text === '' ? [] : [text];
  }
  return Object.values(value).flatMap(secretsIn);
}
