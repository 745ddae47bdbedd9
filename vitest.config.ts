import { defineConfig } from 'vitest/config';

const project = (name: string, overrides: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...overrides },
});

/**
 * Integration files that put programs under load, or measure what these do to each other: each has the machine to itself.
 */
const alone = [
  'demo',
  'dns-hostile',
  'haproxy-hash',
  'haproxy-layout',
  'haproxy-outage',
  'haproxy-sync',
  'haproxy-verdict',
  'hostile',
  'roles-postgres',
  'whole',
].map((name) => `test/integration/${name}.test.ts`);

/** One project per room of test/; integration after the rest. Its other files mostly wait, so three run side by side. */
export default defineConfig({
  test: {
    // Even where there are but two processors: no test takes a whole one for long.
    maxWorkers: 2,
    projects: [
      // Two hundred files that share nothing but modules: loading those once for all of them saves minutes.
      project('unit', { isolate: false }),
      project('contract', { testTimeout: 60_000, hookTimeout: 60_000 }),
      project('scenario'),
      project('integration', {
        exclude: alone,
        sequence: { groupOrder: 1 },
        testTimeout: 120_000,
        hookTimeout: 120_000,
        maxWorkers: 3,
      }),
      project('integration-alone', {
        include: alone,
        sequence: { groupOrder: 2 },
        testTimeout: 120_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
      project('repo', { testTimeout: 120_000 }),
      project('soak', {
        sequence: { groupOrder: 3 },
        testTimeout: 3_600_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
    ],
  },
});
