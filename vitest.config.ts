/** Tests: `quick` is everything that needs no other process; `e2e` starts real ones; `long` sweeps. */
import { defineConfig } from 'vitest/config';
import { representativeSuites, suitesLeftOut } from './test/support/cluster-suites.ts';

/** What tests of real processes have in common. */
const processes = {
  setupFiles: ['test/support/property-seed.ts'],
  testTimeout: 240_000,
  // Brokers end in peace, which takes its time.
  hookTimeout: 120_000,
  // Each starts processes of its own, which wait for each other most of the time; more than two would wait for cores.
  maxWorkers: 2,
};
/** The same tests, with their jobs on a cluster. */
const onCluster = { ...processes, globalSetup: ['test/support/suites-cluster.ts'] };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/hazards/**', 'test/long/**'],
          setupFiles: ['test/support/property-seed.ts'],
          testTimeout: 120_000,
          // By default one core is left to the reporter, which needs next to none.
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/hazards/**/*.test.ts'],
          ...processes,
          // What users run: after an edit the bundle would be stale, and the sources would be tested.
          globalSetup: ['test/support/build-bundle.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'cluster',
          include: [...representativeSuites],
          ...onCluster,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'cluster-all',
          include: ['test/e2e/**/*.test.ts'],
          exclude: Object.keys(suitesLeftOut),
          ...onCluster,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 3_600_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
