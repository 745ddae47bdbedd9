import { defineConfig } from 'vitest/config';

const project = (name: string, overrides: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...overrides },
});

/** One project per room of test/. Integration files start real programs and measure what
 * these do to each other, so they run one after the other, and after everything else. */
export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('contract', { testTimeout: 60_000, hookTimeout: 60_000 }),
      project('scenario'),
      project('integration', {
        sequence: { groupOrder: 1 },
        testTimeout: 120_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
      project('repo', { testTimeout: 120_000 }),
      project('soak', {
        sequence: { groupOrder: 2 },
        testTimeout: 3_600_000,
        hookTimeout: 120_000,
        fileParallelism: false,
      }),
    ],
  },
});
