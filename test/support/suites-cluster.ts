/**
 * The cluster that whole suites run on: started once, before the first test file of the project.
 *
 * Before: test/support/cluster-suites.ts. After: test/support/cli-process.ts.
 */
import type { TestProject } from 'vitest/node';
import { setup as buildBundle } from './build-bundle.ts';
import { startStandingCluster } from './standing-cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the jobs of `millrace run` go instead. */
    readonly suitesCluster?: string;
  }
}

/** Vitest calls it by this name, and what it returns at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildBundle();
  const cluster = await startStandingCluster({ workers: 3, slots: 2 });
  project.provide('suitesCluster', cluster.address);
  return () => cluster.stop();
}
