import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../config/schema.ts';
import { stateFileOf } from '../deliver/haproxy/config.ts';
import { type Examination, type Finding, fault, ok, warning } from './finding.ts';

const who = () => {
  const uid = process.getuid?.();
  return uid === undefined ? 'this user' : `user ${uid}`;
};
const may = (path: string, mode: number) =>
  access(path, mode).then(
    () => true,
    () => false,
  );

/** Folders that hsdo writes in, as the user who asks: the state directory and those of server-state files. */
export function fileExaminations(config: Config): readonly Examination[] {
  const files = config.services.flatMap(({ haproxy }) =>
    haproxy === undefined ? [] : haproxy.sockets.flatMap((_, position) => stateFileOf(haproxy, position) ?? []),
  );
  return [
    {
      about: 'state directory',
      remedy: 'make it, and give it to the user of hsdo',
      look: async () => [await folderFinding(`state directory ${config.stateDirectory}`, config.stateDirectory)],
    },
    ...[...new Set(files)].map((file) => ({
      about: `state file ${file}`,
      remedy: 'give the folder to the user of hsdo',
      look: async () => [await stateFileFinding(file)],
    })),
  ];
}

/** Whether what hsdo remembers over a restart can be written; a missing folder is made, where its parent allows that. */
export async function folderFinding(about: string, path: string): Promise<Finding> {
  const seen = await stat(path).catch(() => undefined);
  if (seen === undefined) {
    const parent = await nearestFolder(dirname(path));
    if (await may(parent, constants.W_OK)) return ok(about, `not there yet; ${who()} may make it`);
    const remedy = `make it and give it to the user of hsdo (StateDirectory= in the unit does both)`;
    return fault(about, `not there, and ${who()} may not make it in ${parent}`, remedy);
  }
  if (!seen.isDirectory()) return fault(about, 'it is no folder', 'name a folder in the configuration');
  if (await may(path, constants.W_OK | constants.X_OK)) return ok(about, `${who()} may write there`);
  const remedy = `run this as the user of hsdo, or give the folder to that user (it belongs to user ${seen.uid})`;
  return fault(about, `${who()} may not write there`, remedy);
}

async function nearestFolder(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : nearestFolder(dirname(path));
}

/** Whether the file from which HAProxy starts can be written and read. It is replaced whole, so the folder's rights count. */
export async function stateFileFinding(file: string): Promise<Finding> {
  const about = `state file ${file}`;
  const folder = dirname(file);
  if (!(await may(folder, constants.X_OK))) {
    return fault(
      about,
      `${who()} cannot enter ${folder}, or it is not there`,
      `make ${folder} and give it to the user of hsdo`,
    );
  }
  if (!(await may(folder, constants.W_OK))) {
    return fault(
      about,
      `${who()} may not write in ${folder}`,
      `give ${folder} to the user of hsdo, HAProxy only reads there`,
    );
  }
  const seen = await stat(file).catch(() => undefined);
  if (seen === undefined) {
    const remedy = `run \`hsdo haproxy-state\` before HAProxy starts (ExecStartPre), or start hsdo --client`;
    return warning(about, 'not there yet: HAProxy would start with an empty list', remedy);
  }
  const mode = (seen.mode & 0o777).toString(8);
  return ok(about, `${who()} may write it; mode ${mode}, user ${seen.uid}`);
}
