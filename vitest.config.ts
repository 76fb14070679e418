import { defineConfig } from 'vitest/config';

/**
 * One project a tier (CONTRIBUTING.md, "Test tiers"): `npx vitest run --project unit`.
 * Tiers that start servers or browsers run their files one after another, so that two cores suffice.
 */
export default defineConfig({
  test: {
    // Both of two cores: by itself vitest leaves one free, and tests that wait for the clock would idle away minutes.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{protocol,documents,handlers,client,react,local,web,bench}/**/*.test.ts'],
          // It starts the runtime and many processes: see below.
          exclude: ['test/bench/quick.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'infrastructure',
          include: ['test/infrastructure/**/*.test.ts'],
          // aws-cdk-lib takes seconds to load: once for all files.
          isolate: false,
          pool: 'threads',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'flow',
          include: ['test/{flow,command-line,packaging}/**/*.test.ts', 'test/bench/quick.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
