import { readFileSync } from 'node:fs';
import type { Fault } from './fault.ts';

/** Parameters that may be given as a file, as systemd credentials and container secrets are. */
export const secretParameters: readonly string[] = ['API_TOKEN', 'EXPORTER_TOKEN', 'CONSUL_TOKEN'];

/** The environment with every `NAME_FILE` of a secret parameter replaced by what the file holds. */
export function readSecretFiles(env: NodeJS.ProcessEnv): {
  readonly env: NodeJS.ProcessEnv;
  readonly faults: readonly Fault[];
} {
  const faults: Fault[] = [];
  const complete = { ...env };
  for (const name of secretParameters) {
    const file = env[`${name}_FILE`];
    if (file === undefined || file.trim() === '') continue;
    const path = `${name}_FILE`;
    if (env[name] !== undefined) {
      faults.push({
        place: 'environment',
        path,
        value: JSON.stringify(file),
        expected: `expected either ${name} or ${path}`,
      });
      continue;
    }
    try {
      complete[name] = readFileSync(file, 'utf8').trim();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      faults.push({
        place: 'environment',
        path,
        value: JSON.stringify(file),
        expected: `expected a readable file: ${reason}`,
      });
    }
  }
  return { env: complete, faults };
}
