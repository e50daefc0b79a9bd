/**
 * Which end-to-end tests run a second time, unchanged, with their jobs on a cluster of three workers: in `npm test` some of each
 * kind, in `npm run test:long` all but those below.
 *
 * Before: vitest.config.ts. After: test/support/suites-cluster.ts, test/support/cli-process.ts.
 */

/** Batch, streams and checkpoints, cheap ones. */
export const representativeSuites: readonly string[] = [
  'test/e2e/aligned-sources.test.ts',
  'test/e2e/checkpoint-restart.test.ts',
  'test/e2e/fraud.test.ts',
  'test/e2e/hot-items.test.ts',
  'test/e2e/join-job.test.ts',
  'test/e2e/ledger-job.test.ts',
  'test/e2e/region-restart.test.ts',
  'test/e2e/window-jobs.test.ts',
];

/** Why a cluster is not for some, and which. */
const reasons: Readonly<Record<string, readonly string[]>> = {
  'no job is run by the command, or the cluster is its own': [
    ...['api-pages', 'cluster-faults', 'cluster-standby', 'cluster-submit', 'etcd', 'executor'],
    ...[
      'kafka-client',
      'kafka-source',
      'kafka-transactions',
      'launch',
      'process-launcher',
      'pyarrow',
    ],
    ...['parquet', 'readme', 'start', 'test-run', 'two-workers', 'up', 'watermarks'],
  ],
  'the command itself is meant, with its mistakes or its package': [
    ...['bad-command', 'bundle', 'job-file', 'kafka-secure'],
  ],
  'rows come from or go to the program itself': [
    ...['changelog', 'console', 'program-run', 'rxjs', 'unbounded-source', 'write-savepoint'],
  ],
  'the process of `run` is killed, and the job with it; of a cluster that is in cluster-faults': [
    ...['changed-job', 'changed-windows', 'changes-kill', 'checkpoint-kill', 'kept-sides-kill'],
    ...['kafka-checkpoint-kill', 'kafka-cluster', 'kafka-faults', 'kafka-jobs', 'power-cut'],
  ],
  'jobs are found by the folder of running jobs of this host': ['job-control', 'key-state'],
  'names of input files are expected as they were given, and are whole paths on a cluster': [
    ...['bad-record', 'bad-text', 'map-reduce-jobs', 'user-job'],
  ],
  'does not pass yet: a rescale with too little --memory is not refused': ['rescale'],
  'memory, disk and threads of the process of `run` are looked at': [
    ...['beyond-memory', 'group-job', 'large-rows', 'sort-job'],
  ],
};

/** File → why a cluster is not for it. Hazards all befall the process of `run`. */
export const suitesLeftOut: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(reasons).flatMap(([reason, names]) =>
    names.map((name) => [`test/e2e/${name}.test.ts`, reason]),
  ),
);
