/**
 * A command line of `millrace run` as the same job for a cluster. Summary, errors and exit code are to be the same, so tests need not
 * know which of the two they have started.
 *
 * Before: test/support/cli-process.ts.
 */

export interface PlacedCommand {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Of `run` alone, each with a value: workers have folders of their own for what has no room in memory. */
const localFlags = ['--spill-dir'];

/** @param address - Of the cluster; without one, all stays as it is. */
export function onCluster(
  address: string | undefined,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): PlacedCommand {
  if (address === undefined) return { words: args, env };
  // Commands about jobs, such as `stop`, find the cluster there too.
  const clusterEnv = { MILLRACE_CLUSTER: address, ...env };
  const [verb, ...rest] = args;
  if (verb !== 'run') return { words: args, env: clusterEnv };
  const kept = rest.filter(
    (word, at) => !localFlags.includes(word) && !localFlags.includes(rest[at - 1] ?? ''),
  );
  return { words: ['submit', ...kept, '--wait'], env: clusterEnv };
}
