import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const missing = (...files: readonly string[]) =>
  files.filter((file) => !existsSync(join(root, file))).map((file) => `there is no ${file}`);

interface Look {
  /** Why the line itself is not run. */
  readonly why: string;
  /** What is wrong with it, as far as that can be seen without running it. */
  faults(): Promise<readonly string[]> | readonly string[];
}

/** Options of a command line that the program does not name in its own help; none where it is not on this machine. */
function unknownOptions(line: string): readonly string[] {
  const [program = '', ...words] = line.split(' ');
  const ask = `PATH=$PATH:/usr/sbin; command -v ${program} > /dev/null && ${program} --help 2>&1 || true`;
  const help = execFileSync('sh', ['-c', ask], { encoding: 'utf8' });
  const options = words.filter((word) => word.startsWith('--'));
  return options.filter((word) => help !== '' && !help.includes(word)).map((word) => `${program} has no ${word}`);
}

/** Whether the container finds the configuration and keeps its state where the Dockerfile has them. */
function faultsOfDocker(line: string): readonly string[] {
  const dockerfile = read('Dockerfile');
  const places = [...line.matchAll(/-v \S+?:([^: ]+)/g)].map(([, place = '']) => place);
  const known = [
    `${/WORKDIR (\S+)\n(?![\s\S]*WORKDIR)/.exec(dockerfile)?.[1]}/conf/env.yaml`,
    /VOLUME (\S+)/.exec(dockerfile)?.[1],
  ];
  return places.length === known.length && places.every((place) => known.includes(place))
    ? []
    : [`mounts ${places.join(', ')}, expected ${known.join(', ')}`];
}

const serverUnit = 'conf/systemd/hsdo-server.service';
const run = 'docker run --read-only -v ./env.yaml:/opt/hsdo/conf/env.yaml:ro -v hsdo:/var/lib/hsdo hsdo --server';
const useradd = 'useradd --system --home-dir /var/lib/hsdo --shell /usr/sbin/nologin hsdo';

/** Lines of the documents that no test runs, since they change the machine: why, and how they are looked at instead. */
export const lookedAt: Readonly<Record<string, Look>> = {
  'git clone <this repository> hsdo && cd hsdo': {
    why: "the clone in which this test runs was made so; where it lies is the reader's to say",
    faults: () => missing('package.json', 'package-lock.json'),
  },
  'npm start': {
    why: 'test/integration/demo.test.ts runs what it starts; it would install packages and a HAProxy',
    faults: () =>
      read('package.json').includes('"start": "node scripts/start.mjs"') && read('scripts/start.mjs').includes("'demo'")
        ? missing('scripts/start.mjs', 'src/cli/demo.ts')
        : ['npm start does not start the demo'],
  },
  'npm ci && npm run build && npm link': {
    why: 'test/repo/docker.test.ts runs the first two in an empty folder; the last one puts a link beside npm itself',
    faults: () =>
      read('package.json').includes('"hsdo": "dist/main.js"') && read('src/main.ts').startsWith('#!/usr/bin/env node\n')
        ? missing('test/repo/docker.test.ts')
        : ['npm link makes no hsdo that starts'],
  },
  [useradd]: { why: 'it makes a user', faults: () => unknownOptions(useradd) },
  'cp conf/systemd/hsdo-server.service /etc/systemd/system/': {
    why: 'it writes into /etc; here into a folder of the test',
    faults() {
      const folder = mkdtempSync(join(tmpdir(), 'hsdo-units-'));
      cpSync(join(root, serverUnit), join(folder, 'hsdo-server.service'));
      const isThere = existsSync(join(folder, 'hsdo-server.service'));
      rmSync(folder, { recursive: true });
      return isThere && read(serverUnit).includes('WantedBy=') ? [] : [`${serverUnit} cannot be enabled`];
    },
  },
  'systemctl daemon-reload && systemctl enable --now hsdo-server': {
    why: 'it needs systemd as the first process; test/repo/systemd.test.ts has systemd-analyze verify the unit',
    faults: () => missing(serverUnit, 'test/repo/systemd.test.ts'),
  },
  'systemctl status hsdo-server': {
    why: 'the same; test/integration/systemd.test.ts reads the status that a process hands to systemd',
    faults: () => missing(serverUnit, 'test/integration/systemd.test.ts'),
  },
  [run]: {
    why: 'it needs a container engine; test/repo/docker.test.ts runs the steps of the Dockerfile without one',
    faults: () => faultsOfDocker(run),
  },
};
