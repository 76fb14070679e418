import { tmpdir } from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

// Node keeps what it has compiled, for the hundred processes that a run starts: commands, runtimes, workers.
process.env['NODE_COMPILE_CACHE'] ??= path.join(tmpdir(), 'node-compile-cache');

/** Starts the runtime and many processes, unlike its neighbours. */
const QUICK_BENCH = 'test/bench/quick.test.ts';

/** Holds frames and a takeover against the clock: nothing else runs beside it. */
const MEASURING = 'test/browser/against-the-clock.test.ts';

/** Tiers that start the runtime synthesize each combination of settings once. */
const STARTS_THE_RUNTIME = {
  globalSetup: ['test/flow/shared-assemblies.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

/**
 * One project a tier (CONTRIBUTING.md, "Test tiers"): `npx vitest run --project unit`. Tiers that start servers or
 * browsers come after the others, two files at a time: most of them wait for each other's processes half of the time.
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
          exclude: [QUICK_BENCH],
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
          ...STARTS_THE_RUNTIME,
          name: 'flow',
          include: ['test/{flow,command-line,packaging}/**/*.test.ts', QUICK_BENCH],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...STARTS_THE_RUNTIME,
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude: [MEASURING],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...STARTS_THE_RUNTIME,
          name: 'measuring',
          include: [MEASURING],
          sequence: { groupOrder: 2 },
          fileParallelism: false,
        },
      },
    ],
  },
});
