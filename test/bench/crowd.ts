import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConsulAgent, startConsul } from '../fixtures/consul.ts';

/** One target that a source may know. Nothing listens at its address: only HAProxy's list matters here. */
export interface Member {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A source of targets that is changed one target at a time. */
export interface Crowd {
  /** The `source` of hsdo's configuration. */
  readonly source: Readonly<Record<string, unknown>>;
  appear(member: Member): Promise<void>;
  vanish(member: Member): Promise<void>;
  stop(): Promise<void>;
}

export function member(number: number): Member {
  const address = `127.20.${Math.floor(number / 250)}.${1 + (number % 250)}`;
  return { name: `target-${number}`, address, port: 9 };
}

/** A service in the catalog of a real Consul agent. */
export async function consulCrowd(members: readonly Member[]): Promise<Crowd> {
  // An agent as one runs it: in development mode it would indent its JSON, which doubles what has to be parsed.
  const consul: ConsulAgent = await startConsul({ keepsState: true });
  const appear = ({ name, address, port }: Member) =>
    consul.register({ ID: name, Name: 'web', Address: address, Port: port });
  for (const one of members) await appear(one);
  return {
    source: { kind: 'consul', url: consul.url, services: ['web'] },
    appear,
    vanish: ({ name }) => consul.deregister(name),
    stop: () => consul.stop(),
  };
}

/** A list in a file, replaced by renaming as its description asks. */
export async function fileCrowd(members: readonly Member[]): Promise<Crowd> {
  const folder = await mkdtemp(join(tmpdir(), 'hsdo-crowd-'));
  const path = join(folder, 'targets.json');
  const present = new Map(members.map((one) => [one.name, one]));
  let last = Promise.resolve();
  const write = async () => {
    await writeFile(`${path}.new`, JSON.stringify([...present.values()]));
    await rename(`${path}.new`, path);
  };
  const publish = () => {
    last = last.then(write);
    return last;
  };
  await publish();
  return {
    source: { kind: 'file', path },
    appear(one) {
      present.set(one.name, one);
      return publish();
    },
    vanish({ name }) {
      present.delete(name);
      return publish();
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}
