/**
 * Restored splits: what is still to be read of a source when a job goes on from a checkpoint, at whatever parallelism.
 *
 *     known, in their order     a      b      c      d          finished by task 0   a
 *                                                               open in task 1       c, at 700
 *     to be read                       b      c, at 700   d
 *
 * What no task names has not been begun, or not been gone on with since the job was restored the last time: it is read
 * from where it is known to begin. So it does not matter which splits had been handed out at the barrier.
 *
 * Before: engine/contracts/snapshot.ts. After: coordinator/scheduler/split-assigner.ts, growing-splits.ts, lanes.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Split } from '../../engine/contracts/source.ts';

export interface RestoredSplits {
  /** In their old order; those that had been begun have the `position` at which they go on. */
  readonly unread: readonly Split[];
  /** Ids of those that have been read to their ends, in the old order of the splits. */
  readonly finished: readonly string[];
}

/**
 * What is to be read, and what has been.
 *
 * @param known - All splits of the source that are known, as they were given to the attempt that made the checkpoint,
 * with the positions at which they began there.
 * @param snapshots - Of all its tasks. What attempts before it had finished is given as one more.
 */
export function restoredSplits(
  known: readonly Split[],
  snapshots: readonly SourceSnapshot[],
): RestoredSplits {
  const ids = new Set(known.map(({ id }) => id));
  assert(ids.size === known.length, 'splits have ids of their own');
  const finished = new Set(snapshots.flatMap((snapshot) => snapshot.finished));
  const positions = new Map<string, Json>();
  for (const { splitId, position } of snapshots.flatMap(({ open }) => open)) {
    assert(!positions.has(splitId), 'a split is open in one task');
    assert(!finished.has(splitId), 'a split that is open has not been finished');
    positions.set(splitId, position);
  }
  for (const id of [...finished, ...positions.keys()]) {
    assert(ids.has(id), 'a task reads splits that it was given');
  }
  const unread = known
    .filter(({ id }) => !finished.has(id))
    .map((split) => {
      const position = positions.get(split.id);
      return position === undefined ? split : { ...split, position };
    });
  const read = known.filter(({ id }) => finished.has(id)).map(({ id }) => id);
  return { unread, finished: read };
}
