/** Tests: `quick` is everything that needs no other process; `e2e` starts real ones; `long` sweeps. */
import { defineConfig } from 'vitest/config';

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
          setupFiles: ['test/support/property-seed.ts'],
          // What users run: after an edit the bundle would be stale, and the sources would be tested.
          globalSetup: ['test/support/build-bundle.ts'],
          testTimeout: 240_000,
          // Brokers end in peace, which takes its time.
          hookTimeout: 120_000,
          // Each starts processes of its own, which wait for each other most of the time; more than two would wait for cores.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 3_600_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
