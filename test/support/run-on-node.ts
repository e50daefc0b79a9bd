/** Runs a piece of async work as the program of one simulated node, without faults. */
import type { Env } from '../../base/env/env.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { SimNode } from '../../simulation/sim-node.ts';

/** Resolves with what `work` answered; rejects with what it threw, or when it never ended. */
export async function runOnNode<T>(
  work: (env: Env, node: SimNode) => Promise<T>,
  seed = 1,
): Promise<T> {
  let ended: Promise<T> | null = null;
  await inMacrotask(() => {
    const cluster = new Cluster({ seed });
    const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => {
      ended = work(env, node);
      ended.catch(() => {}); // The caller of runOnNode hears of it.
    });
    cluster.world.run(60_000);
    if (cluster.world.failure !== null) throw new Error(cluster.world.failure.message);
  });
  const never = new Promise<never>((_, reject) => {
    setImmediate(() => reject(new Error('the work did not end within a virtual minute')));
  });
  return await Promise.race([ended ?? never, never]);
}
